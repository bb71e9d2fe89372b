import { Injectable } from '@nestjs/common';
import type { Arrival, ArrivalPlacement, Placed } from '../lifecycle/arrival.contract.js';
import { TokenStore } from '../lifecycle/token.store.js';
import type { Command } from '../production.command.js';
import type { QueueReason } from '../lifecycle/token.rules.js';
import { AssignmentLog, type GraphFact } from './assignment-log.service.js';
import type { Decision, NodeToAssign, TokenToAssign } from './assignment-policy.contract.js';
import { AssignmentRows, type NewAssignment } from './assignment-rows.service.js';
import { inBalanceOrder } from './balance.rules.js';
import { Decisions } from './decisions.service.js';
import { Limiting } from './limiting.service.js';
import type { Verdict } from './limit.rules.js';
import { scopeOf, type Scope } from './scope.rules.js';
import { Turns } from './turns.service.js';
import { WaitEstimates } from './wait-estimate.service.js';
import { Wake } from './wake.service.js';

/** A token at a node where people work, or on its way there. */
interface Candidate {
  readonly arrival: Arrival;
  readonly token: TokenToAssign;
  readonly node: NodeToAssign;
  readonly scope: Scope;
  readonly verdict: Verdict;
}

/** What was decided about a token that has been placed. */
interface Choice extends Candidate {
  readonly decision: Decision;
  readonly failed: boolean;
}

type Queued = Extract<Placed, { outcome: 'waiting' }>;

const unlimited: Verdict = { verdict: 'admitted', reason: null, behind: false };

/** Lets tokens in where people work: first the limits, then the policy. */
@Injectable()
export class Placement implements ArrivalPlacement<Command> {
  readonly #choices = new WeakMap<Command, Map<string, Choice>>();

  constructor(
    private readonly assignments: AssignmentRows,
    private readonly decisions: Decisions,
    private readonly estimates: WaitEstimates,
    private readonly limiting: Limiting,
    private readonly log: AssignmentLog,
    private readonly tokens: TokenStore,
    private readonly turns: Turns,
    private readonly wake: Wake,
  ) {}

  async place(command: Command, arrivals: readonly Arrival[]): Promise<Placed[]> {
    const candidates = await this.limited(command, arrivals);
    const choices = this.#choices.get(command) ?? new Map<string, Choice>();
    this.#choices.set(command, choices);
    const made: Choice[] = [];
    for (const alike of alikeOf(candidates.filter(({ verdict }) => verdict.verdict !== 'full'))) {
      made.push(...(await this.decided(command, alike)));
    }
    for (const choice of made) choices.set(choice.token.id, choice);
    const queued = await this.queued(command, made);
    return candidates.map(({ token, verdict }): Placed => {
      if (verdict.verdict === 'full') return { tokenId: token.id, outcome: 'full' };
      return queued.get(token.id) ?? { tokenId: token.id, outcome: 'ready' };
    });
  }

  async settle(command: Command, placed: readonly Placed[]): Promise<void> {
    const choices = this.#choices.get(command);
    const settled = placed.flatMap((one) => {
      const choice = choices?.get(one.tokenId);
      return choice ? [{ ...choice, placed: one }] : [];
    });
    for (const { token } of settled) choices?.delete(token.id);
    await this.assignments.insert(command, settled.flatMap(assignmentOf));
    const failures = settled.filter(({ failed }) => failed);
    await this.tokens.recordEvents(
      command,
      failures.map(({ token, node }) => ({ tokenId: token.id, type: 'RESOLVER_ERROR', nodeId: node.id })),
    );
    await this.log.record(command, settled.map(factOf));
    // Whoever was sent behind others although there is room must not wait for somebody to leave.
    await this.wake.ring(
      command,
      settled.filter(({ verdict }) => verdict.behind).map(({ scope }) => scope),
    );
  }

  private async limited(command: Command, arrivals: readonly Arrival[]): Promise<Candidate[]> {
    const waiting = arrivals.map((arrival) => {
      const node = { ...arrival.node, graphId: arrival.graphId, versionId: arrival.graphVersionId };
      return { arrival, token: tokenOf(arrival), node, scope: scopeOf(node, arrival.instanceId) };
    });
    const verdicts = await this.limiting.admit(
      command,
      waiting.map(({ arrival, scope }) => ({ id: arrival.tokenId, scope, mayOverfill: arrival.mayOverfill })),
    );
    return waiting.map((one) => ({ ...one, verdict: verdicts.get(one.token.id) ?? unlimited }));
  }

  private async decided(command: Command, alike: readonly [Candidate, ...Candidate[]]): Promise<Choice[]> {
    const [{ node, verdict }] = alike;
    const tokens = alike.map(({ token }) => token);
    const cause = command.cause === 'spawn' || command.cause === 'job' ? 'spawn' : 'route';
    const { decisions, failed } = await this.decisions.decide(command, { tokens, node, cause, limit: verdict.reason });
    return alike.flatMap((one) => {
      const decision = decisions.get(one.token.id);
      return decision ? [{ ...one, decision, failed }] : [];
    });
  }

  /** Those that wait, with their place in the queue and how long they are likely to stay in it. */
  private async queued(command: Command, choices: readonly Choice[]): Promise<Map<string, Queued>> {
    const waiting = choices.flatMap((choice) => {
      const reason = queueReasonOf(choice);
      return reason ? [{ choice, reason }] : [];
    });
    if (waiting.length === 0) return new Map();
    const turns = waiting.map(({ choice: { arrival, scope } }) => ({ ...arrival, enteredAt: command.at, scope }));
    const positions = await this.turns.positions(command.tx, turns);
    const placed = waiting.map(({ choice, reason }) => ({
      ...choice,
      queueReason: reason,
      position: positions.get(choice.token.id) ?? 1,
    }));
    const waits = await this.estimates.of(command.tx, placed, command.at);
    return new Map(
      placed.map(({ token, queueReason, position }): [string, Queued] => [
        token.id,
        {
          tokenId: token.id,
          outcome: 'waiting',
          queueReason,
          position,
          estimatedWaitMinutes: waits.get(token.id) ?? null,
        },
      ]),
    );
  }
}

function tokenOf({ tokenId, instanceId, ticketId, siteId, qty, priority }: Arrival): TokenToAssign {
  return { id: tokenId, instanceId, jobTicketId: ticketId, siteId, qty, priority };
}

/** Those of one node that met the same limit. */
function alikeOf(candidates: readonly Candidate[]): [Candidate, ...Candidate[]][] {
  const found = new Map<string, [Candidate, ...Candidate[]]>();
  for (const one of candidates) {
    const key = `${one.node.id} ${one.verdict.reason ?? ''}`;
    const group = found.get(key);
    if (group) group.push(one);
    else found.set(key, [one]);
  }
  return [...found.values()].toSorted(([one], [other]) => inBalanceOrder(one.node, other.node));
}

/** A full limit queues the token whatever the policy answers. */
function queueReasonOf({ verdict, decision }: Choice): QueueReason | null {
  return verdict.reason ?? (decision.decision === 'QUEUED' ? decision.queueReason : null);
}

function assignmentOf({ token, node, verdict, decision }: Choice): NewAssignment[] {
  if (verdict.reason !== null || decision.decision !== 'ASSIGNED') return [];
  const { method, assignee, reasonCode, reasonText, planRef } = decision;
  return [{ tokenId: token.id, nodeId: node.id, assignee, method, reasonCode, reasonText, planRef }];
}

function factOf({ token, node, decision, failed, placed }: Choice & { readonly placed: Placed }): GraphFact {
  const waits = placed.outcome === 'waiting' ? placed : null;
  const assigned = decision.decision === 'ASSIGNED' && !waits;
  return {
    graphId: node.graphId,
    event: failed ? 'resolver_error' : waits ? 'queued' : assigned ? 'assigned' : 'unassigned',
    tokenId: token.id,
    nodeId: node.id,
    jobTicketId: token.jobTicketId,
    method: decision.method,
    assignee: assigned ? decision.assignee : null,
    decision,
    reasonCode: decision.reasonCode,
    reasonText: decision.reasonText,
    queueReason: waits?.queueReason ?? null,
    queuePosition: waits?.position ?? null,
    estimatedWaitMinutes: waits?.estimatedWaitMinutes ?? null,
  };
}
