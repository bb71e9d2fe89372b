import { Injectable } from '@nestjs/common';
import { TokenStore } from '../lifecycle/token.store.js';
import type { Command, LockedToken } from '../production.command.js';
import type { QueueReason } from '../lifecycle/token.rules.js';
import { AssignmentLog, type GraphFact } from './assignment-log.service.js';
import type { Decision, DecisionCause, NodeToAssign } from './assignment-policy.contract.js';
import { AssignmentRows } from './assignment-rows.service.js';
import { inBalanceOrder } from './balance.rules.js';
import { Decisions } from './decisions.service.js';
import { scopeOf } from './scope.rules.js';
import { Wake } from './wake.service.js';
import { tokenToAssign, WorkNodes } from './work-node.service.js';

interface Undecided {
  readonly token: LockedToken;
  readonly node: NodeToAssign;
}

type Decided = Undecided & { readonly decision: Decision; readonly failed: boolean };

/** Finds somebody else for work that lost whom it was for. */
@Injectable()
export class Reassignment {
  constructor(
    private readonly assignments: AssignmentRows,
    private readonly decisions: Decisions,
    private readonly log: AssignmentLog,
    private readonly nodes: WorkNodes,
    private readonly tokens: TokenStore,
    private readonly wake: Wake,
  ) {}

  /**
   * Asks the policy about the tokens that nobody has; those that wait are looked at when their turn comes. `exclude` are
   * whom not to ask again, by token; who rejected one on this visit is never asked for it again.
   */
  async decide(
    command: Command,
    tokens: readonly LockedToken[],
    cause: DecisionCause,
    exclude: ReadonlyMap<string, readonly string[]> = new Map(),
  ): Promise<void> {
    const taken = await this.assignments.lockOpen(
      command.tx,
      tokens.map(({ id }) => id),
    );
    const free = tokens.filter(({ id, holdCode, nodeId }) => !taken.has(id) && holdCode === null && nodeId !== null);
    const undecided = await Promise.all(free.map((token) => this.undecided(command, token)));
    await this.wake.ringAll(
      command,
      undecided
        .filter(({ token }) => token.status === 'waiting')
        .map(({ token, node }) => scopeOf(node, token.instanceId)),
    );
    const ready = undecided.filter(({ token }) => token.status === 'ready');
    if (ready.length === 0) return;
    const rejected = await this.decisions.rejections(
      command,
      ready.map(({ token }) => token.id),
    );
    const without = new Map(
      ready.map(({ token }) => [token.id, [...(rejected.get(token.id) ?? []), ...(exclude.get(token.id) ?? [])]]),
    );
    const decided: Decided[] = [];
    const ordered = ready.toSorted((one, other) => inBalanceOrder(one.node, other.node));
    for (const nodeId of new Set(ordered.map(({ node }) => node.id))) {
      const alike = ready.filter(({ node }) => node.id === nodeId);
      decided.push(...(await this.ask(command, alike, cause, without)));
    }
    await this.carryOut(command, decided);
  }

  private async undecided(command: Command, token: LockedToken): Promise<Undecided> {
    return { token, node: await this.nodes.node(command.tx, token.versionId, token.nodeId ?? '') };
  }

  private async ask(
    command: Command,
    alike: readonly Undecided[],
    cause: DecisionCause,
    exclude: ReadonlyMap<string, readonly string[]>,
  ): Promise<Decided[]> {
    const [first] = alike;
    if (!first) return [];
    const tokens = alike.map(({ token }) => tokenToAssign(token));
    const { decisions, failed } = await this.decisions.decide(command, {
      tokens,
      node: first.node,
      cause,
      limit: null,
      exclude,
    });
    return alike.flatMap((one) => {
      const decision = decisions.get(one.token.id);
      return decision ? [{ ...one, decision, failed }] : [];
    });
  }

  private async carryOut(command: Command, decided: readonly Decided[]): Promise<void> {
    await this.assignments.insert(
      command,
      decided.flatMap(({ node, decision }) =>
        decision.decision === 'ASSIGNED' ? [{ ...decision, nodeId: node.id }] : [],
      ),
    );
    const queued = decided.flatMap(({ token, decision }) => {
      if (decision.decision !== 'QUEUED') return [];
      const queueReason: QueueReason = token.instanceStatus === 'paused' ? 'JOB_PAUSED' : decision.queueReason;
      return [{ token, queueReason }];
    });
    const failures = decided.filter(({ failed }) => failed);
    await this.tokens.write(command, {
      changes: queued.map(({ token, queueReason }) => ({
        id: token.id,
        from: ['ready'],
        to: 'waiting',
        set: { queueReason, queueEnteredAt: command.at },
      })),
      events: [
        ...queued.map(({ token, queueReason }) => eventOf(token, 'QUEUED', { queueReason })),
        ...failures.map(({ token }) => eventOf(token, 'RESOLVER_ERROR', {})),
      ],
    });
    await this.log.record(command, decided.map(factOf));
    // Who waits for people gives their place to somebody else.
    await this.wake.ring(
      command,
      decided.flatMap(({ token, node, decision }) =>
        decision.decision === 'QUEUED' ? [scopeOf(node, token.instanceId)] : [],
      ),
    );
  }
}

function eventOf(
  token: LockedToken,
  type: 'QUEUED' | 'RESOLVER_ERROR',
  payload: { readonly queueReason?: QueueReason },
) {
  return { tokenId: token.id, type, nodeId: token.nodeId, payload };
}

function factOf({ token, node, decision, failed }: Decided): GraphFact {
  const events = { ASSIGNED: 'assigned', QUEUED: 'queued', UNASSIGNED: 'unassigned', SKIPPED: 'unassigned' } as const;
  return {
    graphId: node.graphId,
    event: failed ? 'resolver_error' : events[decision.decision],
    tokenId: token.id,
    nodeId: node.id,
    jobTicketId: token.ticketId,
    method: decision.method,
    assignee: decision.decision === 'ASSIGNED' ? decision.assignee : null,
    decision,
    reasonCode: decision.reasonCode,
    reasonText: decision.reasonText,
    queueReason: decision.decision === 'QUEUED' ? decision.queueReason : null,
    queuePosition: null,
    estimatedWaitMinutes: null,
  };
}
