import { Injectable } from '@nestjs/common';
import { violates, type Caller } from '@belay/platform';
import { TokenStore } from '../lifecycle/token.store.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import { OperatorBusy, TokenState } from '../production.problems.js';
import type { Assignee, NodeToAssign } from './assignment-policy.contract.js';
import { AssignmentRows } from './assignment-rows.service.js';
import { clockWarnings, deviceOf } from './device.rules.js';
import type { ResumeWork, WorkView } from './session.contract.js';
import type { SessionRow } from './session.queries.js';
import { sessionViewOf } from './session.rules.js';
import { WORK, WorkAccess } from './work-access.service.js';
import { WorkSessions } from './work-sessions.service.js';

const LONG_PAUSE = 8 * 3_600_000;

/** How people go on with what they paused. */
@Injectable()
export class ResumeService {
  constructor(
    private readonly access: WorkAccess,
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly sessions: WorkSessions,
    private readonly tokens: TokenStore,
  ) {}

  async resume(by: Caller, tokenId: string, asked: ResumeWork): Promise<WorkView> {
    const reason = { cause: 'resume', hold: 'work', device: deviceOf(asked.device) } as const;
    try {
      return await this.commands.onToken(by, tokenId, reason, async (command, token) => {
        this.access.admit(by, WORK, token, asked.rowVersion);
        const node = await this.access.nodeFor(command, token, 'resume');
        await this.assignments.lockOpen(command.tx, [tokenId]);
        const open = await this.sessions.lockOpen(command.tx, [tokenId], by.accountId);
        const mine = open.find(
          (one) => one.tokenId === tokenId && one.operatorId === by.accountId && one.status === 'paused',
        );
        if (!mine) throw new TokenState(token);
        return this.go(command, token, node, mine, open);
      });
    } catch (error) {
      throw violates(error, 'operator_works_on_one_thing') ? new OperatorBusy(null) : error;
    }
  }

  /** Goes on with the paused session, in a command that has checked the rest; `open` is what is locked of sessions. */
  async go(
    command: Command,
    token: LockedToken,
    node: NodeToAssign,
    mine: SessionRow,
    open: readonly SessionRow[],
  ): Promise<WorkView> {
    const { operatorId, pausedAt } = mine;
    const busy = open.find((one) => one.operatorId === operatorId && one.status === 'active');
    if (busy) throw new OperatorBusy(busy);
    const helps = mine.helpType === 'assist';
    if (!helps && token.status !== 'paused') throw new TokenState(token);
    if (!helps) await this.access.refuseFull(command, token, node);
    const target: Assignee = { type: 'operator', operatorId, teamId: null };
    await this.access.mayWork(command, [token], node, target, { act: 'start', confirmed: false });

    const [session = mine] = await this.sessions.resume(command, [mine.id]);
    if (!helps) await this.setActive(command, token, node, session);
    const long = pausedAt && command.at.getTime() - pausedAt.getTime() >= LONG_PAUSE;
    return {
      tokenId: token.id,
      nodeCode: node.code,
      status: helps ? token.status : 'active',
      rowVersion: token.rowVersion + (helps ? 0 : 1),
      session: sessionViewOf(session, command.at),
      warnings: [...clockWarnings(command.at, command.device), ...(long ? (['long-pause'] as const) : [])],
    };
  }

  private async setActive(
    command: Command,
    token: LockedToken,
    node: NodeToAssign,
    session: SessionRow,
  ): Promise<void> {
    const assignment = (await this.assignments.lockOpen(command.tx, [token.id])).get(token.id);
    if (assignment) await this.assignments.change(command, [{ id: assignment.id, from: ['paused'], to: 'started' }]);
    const payload = { operatorId: session.operatorId, sessionId: session.id };
    await this.tokens.write(command, {
      changes: [{ id: token.id, from: ['paused'], to: 'active' }],
      events: [{ tokenId: token.id, type: 'NODE_RESUME', nodeId: node.id, payload }],
    });
  }
}
