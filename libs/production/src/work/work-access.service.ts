import { Injectable } from '@nestjs/common';
import { PreconditionFailed, type Caller } from '@belay/platform';
import { actionsAt, isOperable, type NodeAction } from '../graphs/node-type.rules.js';
import type { Command, LockedToken } from '../production.command.js';
import {
  ActionNotForNode,
  ConcurrencyFull,
  InstanceArchived,
  JobPaused,
  JobState,
  NotAssignee,
  OperatorUnavailable,
  SkillMissing,
  TokenHeld,
  TokenNotFound,
  TokenState,
} from '../production.problems.js';
import { SiteScope } from '../site-scope.service.js';
import type { AssignmentRow } from './assignment.queries.js';
import { AssignmentPolicies } from './assignment-policies.service.js';
import type { Assignee, NodeToAssign, WorkQuestion } from './assignment-policy.contract.js';
import { teamsOfOperator, type TeamOfOperator } from './claim.queries.js';
import { Limiting } from './limiting.service.js';
import { scopeOf } from './scope.rules.js';
import { Turns } from './turns.service.js';
import { tokenToAssign, WorkNodes } from './work-node.service.js';

export const WORK = 'production.token:work';
export const SUPERVISE = 'production.session:supervise';

/** What is checked before anybody works on a token. All of it is looked up when it is asked: nothing a list showed counts. */
@Injectable()
export class WorkAccess {
  constructor(
    private readonly limiting: Limiting,
    private readonly nodes: WorkNodes,
    private readonly policies: AssignmentPolicies,
    private readonly scope: SiteScope,
    private readonly turns: Turns,
  ) {}

  /** Throws unless the caller holds the permission where the token is, and knows the token as it is. */
  admit(by: Caller, permission: string, token: LockedToken, rowVersion?: number): void {
    this.scope.admit(by, permission, token.siteId, () => new TokenNotFound([token.id]));
    if (rowVersion !== undefined && rowVersion !== token.rowVersion) throw new PreconditionFailed(token.rowVersion);
  }

  /** The node of the token, when this can be done there now: the job runs, nothing holds the token. */
  async nodeFor(command: Command, token: LockedToken, action: NodeAction): Promise<NodeToAssign> {
    refuseUnlessRunning(token);
    const node = await this.workNode(command, token);
    const allowed = actionsAt(node);
    if (!allowed.includes(action)) throw new ActionNotForNode(action, node.type, allowed);
    return node;
  }

  /** The node of the token, when people work there and nothing holds the token. */
  async workNode(command: Command, token: LockedToken): Promise<NodeToAssign> {
    if (token.nodeId === null) throw new TokenState(token);
    if (token.holdCode !== null) throw new TokenHeld(token);
    const node = await this.nodes.node(command.tx, token.versionId, token.nodeId);
    if (!isOperable(node)) throw new ActionNotForNode('work', node.type, []);
    return node;
  }

  /**
   * Throws unless it is for the caller to do what is done without beginning to work: it is theirs, or nobody's and one of
   * their teams has it or may claim it; `fits` says which members. Whoever supervises may do it for them.
   */
  async refuseOthers(
    { tx, by }: Command,
    token: LockedToken,
    nodeId: string,
    assignment: AssignmentRow | undefined,
    fits: (member: TeamOfOperator) => boolean = () => true,
  ): Promise<void> {
    if (assignment?.operatorId === by.accountId || by.may(SUPERVISE, token.siteId)) return;
    const others = { teamId: assignment?.teamId ?? null, operatorId: assignment?.operatorId ?? null };
    if (others.operatorId !== null) throw new NotAssignee(others, []);
    const teams = await teamsOfOperator(tx, [by.accountId, nodeId, token.siteId]);
    const mine = teams.filter(({ teamId, mayClaim }) => (assignment ? teamId === others.teamId : mayClaim));
    if (!mine.some(fits)) throw new NotAssignee(others, []);
  }

  /** Throws when as many work there as may; nobody else gets in before the transaction ends. */
  async refuseFull(command: Command, token: LockedToken, node: NodeToAssign): Promise<void> {
    const scope = scopeOf(node, token.instanceId);
    for (const { limits, occupancy } of (
      await this.limiting.hold(command, [scope], { besides: [token.id] })
    ).values()) {
      if (limits.concurrency === null || occupancy.started < limits.concurrency) continue;
      const position = await this.turns.position(command, token, scope);
      throw new ConcurrencyFull(limits.concurrency, occupancy.started, position);
    }
  }

  /** Throws when the policy in force does not let the target work on it; else says what to bear in mind. */
  async mayWork(
    command: Command,
    tokens: readonly LockedToken[],
    node: NodeToAssign,
    target: Assignee,
    { act, confirmed }: Pick<WorkQuestion, 'act' | 'confirmed'>,
  ): Promise<readonly string[]> {
    const { policy, flags } = this.policies.for(command, node.graphId);
    const { at, actorId } = command;
    const question = { tokens: tokens.map(tokenToAssign), node, target, act, confirmed, at, actorId, flags };
    const verdict = await policy.mayWork(command.tx, question);
    if (verdict.allowed) return verdict.warnings;
    if (verdict.because === 'skill-missing') throw new SkillMissing(verdict.skill, node.code);
    throw new OperatorUnavailable(verdict.reason, verdict.until, verdict.confirmable);
  }
}

/** Work goes on only while its job does. */
export function refuseUnlessRunning(token: LockedToken): void {
  const { jobStatus, instanceStatus, attemptNo } = token;
  if (instanceStatus === 'paused') throw new JobPaused(token);
  if (instanceStatus === 'archived' || instanceStatus === 'cancelled') throw new InstanceArchived(attemptNo ?? 0);
  if (jobStatus !== 'in_progress' || instanceStatus !== 'active') throw new JobState(token);
}
