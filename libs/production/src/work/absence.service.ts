import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, Inbox, type Caller } from '@belay/platform';
import { isOperable } from '../graphs/node-type.rules.js';
import { reportFinding } from '../lifecycle/finding.queries.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import { tokensOfOperator, tokensOfPlan } from './absence.queries.js';
import { AssignmentRows } from './assignment-rows.service.js';
import { PauseService } from './pause.service.js';
import { Reassignment } from './reassignment.service.js';
import { WorkNodes } from './work-node.service.js';
import { WorkSessions } from './work-sessions.service.js';

/** What a changed plan is about; what is left out is not asked for. */
export interface PlannedPart {
  readonly tokenId?: string | undefined;
  readonly jobTicketId?: string | undefined;
  readonly graphId?: string | undefined;
  readonly nodeCode?: string | undefined;
}

/** Why somebody is not there, and which event says so. */
export interface Leaving {
  readonly how: 'away' | 'gone';
  readonly reason: string;
  /** What ends before it is heard of changes nothing. */
  readonly until: Date | null;
  readonly eventId: string;
  readonly checkpoint: () => void;
}

const AT_ONCE = 200;

/** What becomes of work when people go away or plans change: what nobody has begun goes to somebody else. */
@Injectable()
export class Absence {
  constructor(
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly database: Database,
    private readonly inbox: Inbox,
    private readonly nodes: WorkNodes,
    private readonly pausing: PauseService,
    private readonly reassignment: Reassignment,
    private readonly sessions: WorkSessions,
  ) {}

  /**
   * Takes from the operator what they have not begun. What they work on is paused when they are `away`; when they have
   * `gone` for good, that is for a supervisor to decide, as is everything else that they have begun. Once for each event.
   */
  async leave(by: Caller, operatorId: string, { how, reason, until, eventId, checkpoint }: Leaving): Promise<void> {
    await this.database.transaction(by, async (tx) => {
      if (!(await this.inbox.once(tx, `production.leave.${operatorId}`, eventId, 'production'))) return;
      const ids = (await tokensOfOperator(tx, [operatorId])).map(({ tokenId }) => tokenId);
      if (ids.length > 0) {
        const cause = { cause: 'unavailable', hold: 'work' } as const;
        const { command, tokens } = await this.commands.beginOnTokens(tx, by, ids, cause);
        if (until === null || until > command.at) {
          await this.stop(command, tokens, operatorId, { how, reason });
          await this.takeBack(command, tokens, operatorId, reason);
        }
      }
      checkpoint();
    });
  }

  /** Has the policy decide anew what the part is about; `anew` also what it has given to somebody who has not begun. */
  async replan(by: Caller, part: PlannedPart, anew: boolean, checkpoint: () => void): Promise<void> {
    const { tokenId, jobTicketId, graphId, nodeCode } = part;
    const asked = [tokenId ?? null, jobTicketId ?? null, graphId ?? null, nodeCode ?? null, !anew];
    const ids = (await tokensOfPlan(this.database.dataSource, asked)).map((row) => row.tokenId);
    for (const some of slices(ids)) {
      await this.commands.onTokens(by, some, { cause: 'plan-changed', hold: 'work' }, async (command, tokens) => {
        const here = await this.atWork(command, tokens);
        const open = await this.assignments.lockOpen(
          command.tx,
          here.map(({ id }) => id),
        );
        const given = here.filter(({ id }) => {
          const status = open.get(id)?.status;
          return anew && (status === 'assigned' || status === 'accepted');
        });
        await this.assignments.cancelOpen(command, given, 'plan-changed');
        await this.reassignment.decide(command, here, 'plan-changed');
        checkpoint();
      });
    }
  }

  private async stop(
    command: Command,
    tokens: readonly LockedToken[],
    operatorId: string,
    { how, reason }: Pick<Leaving, 'how' | 'reason'>,
  ): Promise<void> {
    await this.assignments.lockOpen(
      command.tx,
      tokens.map(({ id }) => id),
    );
    const open = await this.sessions.lockOpen(
      command.tx,
      tokens.map(({ id }) => id),
      operatorId,
    );
    const active = open.find((session) => session.operatorId === operatorId && session.status === 'active');
    const token = tokens.find(({ id }) => id === active?.tokenId);
    if (!active || !token) return;
    if (how === 'away') {
      await this.pausing.rest(command, token, active, reason);
      return;
    }
    const detail = JSON.stringify({ operatorId, sessionId: active.id, reason });
    const values = [randomUUIDv7(), 'operator-gone', 'token', token.id, detail, command.at];
    await reportFinding(command.tx, values);
  }

  private async takeBack(
    command: Command,
    tokens: readonly LockedToken[],
    operatorId: string,
    reason: string,
  ): Promise<void> {
    const open = await this.assignments.lockOpen(
      command.tx,
      tokens.map(({ id }) => id),
    );
    const theirs = tokens.filter(({ id }) => {
      const row = open.get(id);
      return row?.operatorId === operatorId && (row.status === 'assigned' || row.status === 'accepted');
    });
    if (theirs.length === 0) return;
    await this.assignments.cancelOpen(command, theirs, reason);
    const exclude = new Map(theirs.map(({ id }) => [id, [operatorId]]));
    await this.reassignment.decide(command, theirs, 'unavailable', exclude);
  }

  private async atWork(command: Command, tokens: readonly LockedToken[]): Promise<LockedToken[]> {
    const here: LockedToken[] = [];
    for (const token of tokens) {
      if (token.nodeId === null || (token.status !== 'ready' && token.status !== 'waiting')) continue;
      if (isOperable(await this.nodes.node(command.tx, token.versionId, token.nodeId))) here.push(token);
    }
    return here;
  }
}

function slices(ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, index) =>
    ids.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
  );
}
