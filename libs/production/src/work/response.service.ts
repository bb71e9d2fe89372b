import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import { TokenStore } from '../lifecycle/token.store.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import { AssignmentNotFound, AssignmentState, NotAssignee, TokenState } from '../production.problems.js';
import { SiteScope } from '../site-scope.service.js';
import { AssignmentLog, assigneeOf } from './assignment-log.service.js';
import { AssignmentRows } from './assignment-rows.service.js';
import { AssignmentViews } from './assignment-view.service.js';
import type { AssignmentView } from './assignment.contract.js';
import type { AssignmentRow, AssignmentStatus } from './assignment.queries.js';
import { teamsOfOperator } from './claim.queries.js';
import { Reassignment } from './reassignment.service.js';
import { scopeOf } from './scope.rules.js';
import { Targets } from './target.service.js';
import { Wake } from './wake.service.js';
import { WORK, WorkAccess } from './work-access.service.js';
import { WorkSessions } from './work-sessions.service.js';

const notBegun = ['assigned', 'accepted'] as const satisfies readonly AssignmentStatus[];

/** What becomes of an assignment before and beside the work: taken, agreed to, refused, taken back. */
@Injectable()
export class ResponseService {
  constructor(
    private readonly access: WorkAccess,
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly database: Database,
    private readonly log: AssignmentLog,
    private readonly reassignment: Reassignment,
    private readonly scope: SiteScope,
    private readonly sessions: WorkSessions,
    private readonly targets: Targets,
    private readonly tokens: TokenStore,
    private readonly views: AssignmentViews,
    private readonly wake: Wake,
  ) {}

  /** Takes what is nobody's, or my team's without anybody of it; the first one gets it. */
  claim(by: Caller, tokenId: string): Promise<AssignmentView> {
    return this.commands.onToken(by, tokenId, { cause: 'claim', hold: 'work' }, async (command, token) => {
      this.access.admit(by, WORK, token);
      const node = await this.access.workNode(command, token);
      if (token.status !== 'ready' && token.status !== 'waiting') throw new TokenState(token);
      const open = (await this.assignments.lockOpen(command.tx, [tokenId])).get(tokenId);
      const teams = await teamsOfOperator(command.tx, [by.accountId, node.id, token.siteId]);
      const operatorId = by.accountId;
      if (open?.operatorId != null) throw new NotAssignee(open, []);
      const team = teams.find(({ teamId, mayClaim }) => (open ? teamId === open.teamId : mayClaim));
      if (!team) throw new NotAssignee(open ?? { teamId: null, operatorId: null }, []);
      const assignee = { type: open ? 'team' : 'operator', operatorId, teamId: team.teamId } as const;
      await this.access.mayWork(command, [token], node, assignee, { act: 'claim', confirmed: false });
      const draft = { tokenId, nodeId: node.id, assignee, method: 'MANUAL' } as const;
      const rows = open
        ? await this.assignments.change(command, [{ id: open.id, from: ['assigned'], to: 'accepted', operatorId }])
        : await this.assignments.insert(command, [draft]);
      await this.log.tell(command, open ? 'accepted' : 'assigned', rows, [token]);
      return this.shown(command, rows, open);
    });
  }

  accept(by: Caller, id: string): Promise<AssignmentView> {
    return this.onMine(by, id, 'accept', async (command, token, assignment) => {
      const rows = await this.assignments.change(command, [{ id, from: ['assigned'], to: 'accepted' }]);
      await this.log.tell(command, 'accepted', rows, [token]);
      return this.shown(command, rows, assignment);
    });
  }

  /** Somebody else is looked for; who has rejected it is not asked again while it is there. */
  reject(by: Caller, id: string, reason: string): Promise<AssignmentView> {
    return this.onMine(by, id, 'reject', async (command, token, assignment) => {
      const rows = await this.assignments.change(command, [{ id, from: notBegun, to: 'rejected', reason }]);
      const shown = await this.shown(command, rows, assignment);
      await this.log.tell(command, 'rejected', rows, [token]);
      await this.reassignment.decide(command, [token], 'reject');
      return shown;
    });
  }

  /** By a manager, or whoever leads them: whoever works on it stops, and somebody else is looked for. */
  async cancel(by: Caller, id: string, reason: string): Promise<AssignmentView> {
    return this.onAssignment(by, id, 'cancel', async (command, token, assignment) => {
      const { teamId, operatorId } = assignment;
      const given = operatorId === null ? { teamId: teamId ?? undefined } : { operatorId };
      await this.targets.admit(command.tx, by, token.siteId, given);
      if (assignment.cancelReason !== null || assignment.status === 'completed') throw new AssignmentState(assignment);
      const rows = await this.assignments.cancelOpen(command, [token], reason);
      const shown = await this.shown(command, rows, assignment);
      const released = await this.release(command, token, reason);
      const exclude = operatorId === null ? new Map() : new Map([[token.id, [operatorId]]]);
      await this.reassignment.decide(command, [released], 'cancel', exclude);
      return shown;
    });
  }

  /** The token as it is when nobody works on it any more. */
  private async release(command: Command, token: LockedToken, reason: string): Promise<LockedToken> {
    if (token.status !== 'active' && token.status !== 'paused') return token;
    await this.sessions.finish(command, [token.id]);
    await this.tokens.write(command, {
      changes: [{ id: token.id, from: ['active', 'paused'], to: 'ready' }],
      events: [{ tokenId: token.id, type: 'RELEASED', nodeId: token.nodeId, payload: { reason } }],
    });
    const node = await this.access.workNode(command, token);
    await this.wake.ring(command, [scopeOf(node, token.instanceId)]);
    return { ...token, status: 'ready' };
  }

  private onMine(
    by: Caller,
    id: string,
    cause: 'accept' | 'reject',
    work: (command: Command, token: LockedToken, assignment: AssignmentRow) => Promise<AssignmentView>,
  ): Promise<AssignmentView> {
    return this.onAssignment(by, id, cause, (command, token, assignment) => {
      this.access.admit(by, WORK, token);
      if (assignment.operatorId !== by.accountId) throw new NotAssignee(assigneeOf(assignment), []);
      return work(command, token, assignment);
    });
  }

  private async onAssignment(
    by: Caller,
    id: string,
    cause: 'accept' | 'reject' | 'cancel',
    work: (command: Command, token: LockedToken, assignment: AssignmentRow) => Promise<AssignmentView>,
  ): Promise<AssignmentView> {
    const { tokenId, siteId } = await this.views.row(this.database.dataSource, id);
    this.scope.see(by, siteId, () => new AssignmentNotFound(id));
    return this.commands.onToken(by, tokenId, { cause, hold: 'work' }, async (command, token) => {
      const open = (await this.assignments.lockOpen(command.tx, [tokenId])).get(tokenId);
      if (open?.id === id) return work(command, token, open);
      throw new AssignmentState(await this.views.row(command.tx, id));
    });
  }

  /** As it is now; unchanged, it was not what it had to be. */
  private async shown(
    command: Command,
    [row]: readonly AssignmentRow[],
    before: AssignmentRow | undefined,
  ): Promise<AssignmentView> {
    if (row) return this.views.one(command.tx, row.id);
    if (before) throw new AssignmentState(before);
    throw new Error('The assignment was not made');
  }
}
