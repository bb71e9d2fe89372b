import { Injectable } from '@nestjs/common';
import { Problem, violates, type Caller } from '@belay/platform';
import { TokenStore } from '../lifecycle/token.store.js';
import { Commands, type Command, type LockedToken } from '../production.command.js';
import { AssignmentStarted, AssignmentState, OperatorBusy, TokenNotFound, TokenState } from '../production.problems.js';
import { SiteScope } from '../site-scope.service.js';
import { OVERRULE } from './assign.service.js';
import { AssignmentLog } from './assignment-log.service.js';
import { AssignmentViews } from './assignment-view.service.js';
import type { Assignee, NodeToAssign } from './assignment-policy.contract.js';
import { AssignmentRows } from './assignment-rows.service.js';
import type { AssignmentView, OverrideWork } from './assignment.contract.js';
import type { AssignmentRow } from './assignment.queries.js';
import { scopeOf } from './scope.rules.js';
import { assigneeAt, Targets } from './target.service.js';
import { Wake } from './wake.service.js';
import { WorkAccess } from './work-access.service.js';
import { WorkSessions } from './work-sessions.service.js';

/** What is overridden; all of it is locked. */
interface Situation {
  readonly command: Command;
  readonly token: LockedToken;
  readonly node: NodeToAssign;
  readonly assignment: AssignmentRow;
  readonly assignee: Assignee;
  readonly reason: string;
}

/** How a manager gives work that somebody has to somebody else, or sends them help. */
@Injectable()
export class OverrideService {
  constructor(
    private readonly access: WorkAccess,
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly log: AssignmentLog,
    private readonly scope: SiteScope,
    private readonly sessions: WorkSessions,
    private readonly targets: Targets,
    private readonly tokens: TokenStore,
    private readonly views: AssignmentViews,
    private readonly wake: Wake,
  ) {}

  async override(by: Caller, tokenId: string, asked: OverrideWork): Promise<AssignmentView> {
    try {
      return await this.commands.onToken(by, tokenId, { cause: 'override', hold: 'work' }, async (command, token) => {
        const situation = await this.situation(command, token, asked);
        if (asked.type === 'help') return this.help(situation);
        return asked.type === 'handoff' ? this.handOff(situation) : this.reassign(situation);
      });
    } catch (error) {
      throw violates(error, 'operator_works_on_one_thing') ? new OperatorBusy(null) : error;
    }
  }

  private async situation(command: Command, token: LockedToken, asked: OverrideWork): Promise<Situation> {
    const { tx, by } = command;
    this.scope.see(by, token.siteId, () => new TokenNotFound([token.id]));
    await this.targets.admit(tx, by, token.siteId, asked);
    const node = await this.access.workNode(command, token);
    const assignment = (await this.assignments.lockOpen(tx, [token.id])).get(token.id);
    if (!assignment) throw new TokenState(token, 'Nobody has it.');
    const assignee = assigneeAt(await this.targets.find(tx, asked), node);
    if (assignee instanceof Problem) throw assignee;
    const confirmed = asked.confirmUnavailable && by.may(OVERRULE, token.siteId);
    await this.access.mayWork(command, [token], node, assignee, { act: 'assign', confirmed });
    return { command, token, node, assignment, assignee, reason: asked.reason ?? 'reassigned' };
  }

  private async reassign(situation: Situation): Promise<AssignmentView> {
    const { assignment } = situation;
    if (assignment.status === 'started' || assignment.status === 'paused') throw new AssignmentStarted(assignment);
    return this.giveAway(situation);
  }

  /** Whoever works on it stops, and the other one begins when they come to it. */
  private async handOff(situation: Situation): Promise<AssignmentView> {
    const { command, token, node, assignment, reason } = situation;
    if (assignment.status !== 'started' && assignment.status !== 'paused') throw new AssignmentState(assignment);
    const given = await this.giveAway(situation);
    await this.sessions.finish(command, [token.id]);
    await this.tokens.write(command, {
      changes: [{ id: token.id, from: ['active', 'paused'], to: 'ready' }],
      events: [{ tokenId: token.id, type: 'RELEASED', nodeId: node.id, payload: { reason, handoff: true } }],
    });
    await this.wake.ring(command, [scopeOf(node, token.instanceId)]);
    return given;
  }

  private async help({ command, token, node, assignment, assignee }: Situation): Promise<AssignmentView> {
    const operatorId = assignee.operatorId ?? '';
    const open = await this.sessions.lockOpen(command.tx, [token.id], operatorId);
    const busy = open.find((one) => one.operatorId === operatorId && one.status === 'active');
    if (busy) throw new OperatorBusy(busy);
    const works = open.some(
      (one) => one.tokenId === token.id && one.helpType !== 'assist' && one.operatorId !== operatorId,
    );
    if (!works) throw new TokenState(token, 'Nobody works on it.');
    const on = { tokenId: token.id, nodeId: node.id, operatorId, helpType: 'assist' } as const;
    await this.sessions.begin(command, on, null);
    await this.log.tell(command, 'override', [assignment], [token], 'HELP');
    return this.views.one(command.tx, assignment.id);
  }

  private async giveAway({ command, token, node, assignee, reason }: Situation): Promise<AssignmentView> {
    await this.assignments.cancelOpen(command, [token], reason);
    const draft = { tokenId: token.id, nodeId: node.id, assignee, method: 'REASSIGN', note: reason } as const;
    const made = await this.assignments.insert(command, [draft]);
    await this.log.tell(command, 'override', made, [token]);
    const [row] = made;
    if (!row) throw new Error('The token is still assigned');
    return this.views.one(command.tx, row.id);
  }
}
