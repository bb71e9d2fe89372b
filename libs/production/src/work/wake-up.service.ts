import { Injectable } from '@nestjs/common';
import { Database, type Caller } from '@belay/platform';
import { TokenStore } from '../lifecycle/token.store.js';
import { Commands, type Command } from '../production.command.js';
import type { QueueReason } from '../lifecycle/token.rules.js';
import { AssignmentLog, type GraphFact } from './assignment-log.service.js';
import type { Decision, NodeToAssign } from './assignment-policy.contract.js';
import { AssignmentRows } from './assignment-rows.service.js';
import { Decisions } from './decisions.service.js';
import { Limiting } from './limiting.service.js';
import { vacancies } from './limit.rules.js';
import { lockWaiting, waitingScopes, type WaitingToken } from './queue.queries.js';
import { scopeColumns, scopeOf, type Scope } from './scope.rules.js';
import { WorkMetrics } from './work-metrics.service.js';
import { WorkNodes } from './work-node.service.js';

const AT_ONCE = 200;

interface Candidate {
  readonly token: WaitingToken;
  readonly node: NodeToAssign;
  /** Null when it is for somebody already. */
  readonly decision: Decision | null;
  readonly failed: boolean;
}

interface Round {
  readonly admitted: number;
  /** Those who were looked at and wait on. */
  readonly left: readonly string[];
  readonly isMore: boolean;
}

/** Lets those in who wait, in their order and as many as there are places: whenever a place has become free, and every minute. */
@Injectable()
export class WakeUp {
  constructor(
    private readonly assignments: AssignmentRows,
    private readonly commands: Commands,
    private readonly database: Database,
    private readonly decisions: Decisions,
    private readonly limiting: Limiting,
    private readonly log: AssignmentLog,
    private readonly metrics: WorkMetrics,
    private readonly nodes: WorkNodes,
    private readonly tokens: TokenStore,
  ) {}

  /** Goes on while somebody comes in; says how many did. `checkpoint` comes last in each transaction. */
  async admit(by: Caller, scope: Scope, checkpoint: () => void = () => undefined): Promise<number> {
    let admitted = 0;
    const left: string[] = [];
    for (;;) {
      const round = await this.commands.run(by, { cause: 'wake' }, async (command) => {
        const found = await this.admitSome(command, scope, left);
        checkpoint();
        return found;
      });
      admitted += round.admitted;
      left.push(...round.left);
      if (!round.isMore) return admitted;
    }
  }

  /** The scopes in which somebody waits; only for people when it is said. */
  async scopes(onlyForPeople = false): Promise<Scope[]> {
    const rows = await waitingScopes(this.database.dataSource, [onlyForPeople]);
    return rows.map(({ workCenterId, graphId, nodeCode, instanceId }) =>
      scopeOf(
        { code: nodeCode, workCenterId, graphId, limitScope: instanceId === null ? 'NODE' : 'INSTANCE' },
        instanceId ?? '',
      ),
    );
  }

  /** The one place where a scope is locked before tokens; so it never waits for them. */
  private async admitSome(command: Command, scope: Scope, besides: readonly string[]): Promise<Round> {
    const [held] = (await this.limiting.hold(command, [scope], { all: true })).values();
    let places = held ? vacancies(held.limits, held.occupancy) : 0;
    if (!held || places === 0) return { admitted: 0, left: [], isMore: false };
    const { values } = scopeColumns([scope]);
    const waiting = await lockWaiting(command.tx, [...values, AT_ONCE, besides]);
    const admitted: Candidate[] = [];
    const left: Candidate[] = [];
    for (let next = 0; next < waiting.length && places > 0;) {
      const several = waiting.slice(next, next + Math.min(places, AT_ONCE));
      next += several.length;
      for (const candidate of await this.decided(command, several)) {
        if (candidate.decision?.decision === 'QUEUED') left.push(candidate);
        else admitted.push(candidate);
      }
      places = vacancies(held.limits, held.occupancy) - admitted.length;
    }
    await this.letIn(command, admitted);
    await this.keep(command, left);
    const isMore = waiting.length === AT_ONCE && places > 0;
    return { admitted: admitted.length, left: left.map(({ token }) => token.id), isMore };
  }

  private async decided(command: Command, waiting: readonly WaitingToken[]): Promise<Candidate[]> {
    const rejected = await this.decisions.rejections(
      command,
      waiting.map(({ id }) => id),
    );
    const found = new Map<string, Candidate>();
    for (const nodeId of new Set(waiting.map((token) => token.nodeId))) {
      const here = waiting.filter((token) => token.nodeId === nodeId);
      const [first] = here;
      if (!first) continue;
      const node = await this.nodes.node(command.tx, first.versionId, nodeId);
      const free = here.filter(({ openAssignment }) => openAssignment === null);
      const tokens = free.map((token) => ({ ...token, jobTicketId: token.ticketId }));
      const question = { tokens, node, cause: 'wake', limit: null, exclude: rejected } as const;
      const { decisions, failed } = await this.decisions.decide(command, question);
      for (const token of here) {
        found.set(token.id, {
          token,
          node,
          decision: decisions.get(token.id) ?? null,
          failed: failed && !token.openAssignment,
        });
      }
    }
    return waiting.flatMap(({ id }) => found.get(id) ?? []);
  }

  private async letIn(command: Command, admitted: readonly Candidate[]): Promise<void> {
    if (admitted.length === 0) return;
    await this.tokens.write(command, {
      changes: admitted.map(({ token }) => ({
        id: token.id,
        from: ['waiting'],
        to: 'ready',
        set: { queueReason: null, queueEnteredAt: null },
      })),
      marks: admitted.map(({ token }) => ({ tokenId: token.id, admitted: true })),
      events: admitted.flatMap(({ token, failed }) => [
        { tokenId: token.id, type: 'WOKEN', nodeId: token.nodeId, payload: { queueReason: token.queueReason } },
        ...(failed ? [{ tokenId: token.id, type: 'RESOLVER_ERROR', nodeId: token.nodeId } as const] : []),
      ]),
    });
    await this.assignments.insert(
      command,
      admitted.flatMap(({ token, decision }) =>
        decision?.decision === 'ASSIGNED' ? [{ ...decision, nodeId: token.nodeId }] : [],
      ),
    );
    await this.log.record(
      command,
      admitted.map((one) => factOf(one, one.failed ? 'resolver_error' : 'woken', null)),
    );
    this.metrics.wakes.inc(admitted.length);
    for (const { token } of admitted) {
      if (token.queueEnteredAt)
        this.metrics.queueWait.observe((command.at.getTime() - token.queueEnteredAt.getTime()) / 1_000);
    }
  }

  /** They wait on, perhaps for something else. */
  private async keep(command: Command, left: readonly Candidate[]): Promise<void> {
    const changed = left.flatMap((one) => {
      const reason = one.decision?.decision === 'QUEUED' ? one.decision.queueReason : null;
      return reason !== null && reason !== one.token.queueReason ? [{ ...one, reason }] : [];
    });
    await this.tokens.write(command, {
      changes: changed.map(({ token, reason }) => ({
        id: token.id,
        from: ['waiting'],
        to: 'waiting',
        set: { queueReason: reason },
      })),
    });
    await this.log.record(
      command,
      changed.map((one) => factOf(one, 'queued', one.reason)),
    );
  }
}

function factOf(
  { token, node, decision }: Candidate,
  event: GraphFact['event'],
  queueReason: QueueReason | null,
): GraphFact {
  return {
    graphId: node.graphId,
    event,
    tokenId: token.id,
    nodeId: node.id,
    jobTicketId: token.ticketId,
    method: decision?.method ?? 'MANUAL',
    assignee: decision?.decision === 'ASSIGNED' ? decision.assignee : null,
    decision,
    reasonCode: decision?.reasonCode ?? null,
    reasonText: decision?.reasonText ?? null,
    queueReason,
    queuePosition: null,
    estimatedWaitMinutes: null,
  };
}
