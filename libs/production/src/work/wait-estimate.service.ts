import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AssignmentPolicies } from './assignment-policies.service.js';
import type { NodeToAssign, QueueReason, TokenToAssign } from './assignment-policy.contract.js';
import { scopeOf } from './scope.rules.js';
import { waitFactsOf } from './wait-estimate.queries.js';
import { waitOf, type WaitFacts } from './wait-estimate.rules.js';

/** A token that waits, or is about to. */
export interface Waiting {
  readonly token: TokenToAssign;
  readonly node: NodeToAssign;
  readonly queueReason: QueueReason;
  /** In its scope, from 1. */
  readonly position: number;
}

const MINUTE = 60_000;
const unavailable: readonly QueueReason[] = ['TEAM_UNAVAILABLE', 'OPERATOR_UNAVAILABLE'];
/** What has no end that could be foreseen. */
const unforeseen: readonly QueueReason[] = ['NO_MATCH', 'JOIN_WAIT', 'WAIT_CONDITION', 'MACHINE_BUSY', 'JOB_PAUSED'];

@Injectable()
export class WaitEstimates {
  constructor(private readonly policies: AssignmentPolicies) {}

  /** Minutes that each token is likely to wait; null when nobody can say. */
  async of(tx: EntityManager, waiting: readonly Waiting[], at: Date): Promise<Map<string, number | null>> {
    const waits = new Map<string, number | null>(waiting.map(({ token }) => [token.id, null]));
    for (const alike of groups(waiting.filter(({ queueReason }) => !unforeseen.includes(queueReason)))) {
      const [{ node }] = alike;
      const facts = await this.factsAt(tx, alike[0], at);
      const away = alike.filter(({ queueReason }) => unavailable.includes(queueReason));
      const { policy } = this.policies.now(node.graphId);
      const tokens = away.map(({ token }) => token);
      const back = away.length > 0 ? await policy.nextStart(tx, tokens, node, at) : new Map<string, Date>();
      for (const { token, queueReason, position } of alike) {
        const wait = waitOf(facts, position);
        const start = back.get(token.id);
        const later = start ? Math.max(0, Math.ceil((start.getTime() - at.getTime()) / MINUTE)) : null;
        const missing = unavailable.includes(queueReason) ? later : 0;
        waits.set(token.id, wait === null || missing === null ? null : wait + missing);
      }
    }
    return waits;
  }

  private async factsAt(tx: EntityManager, { node, token }: Waiting, at: Date): Promise<WaitFacts> {
    const scope = scopeOf(node, token.instanceId);
    const [found] = await waitFactsOf(tx, [
      [node.id],
      [scope.kind === 'work-center' ? scope.workCenterId : null],
      [scope.kind === 'node' ? scope.graphId : null],
      [scope.kind === 'node' ? scope.nodeCode : null],
      [scope.kind === 'node' ? scope.instanceId : null],
      at,
    ]);
    const { policy } = this.policies.now(node.graphId);
    const servers = found?.concurrency ?? (await policy.headcount(tx, node, token.siteId, at));
    return { service: found?.minutes ?? designedMinutes(node, token.qty), servers, elapsed: found?.elapsed ?? [] };
  }
}

function designedMinutes({ estimatedMinutes, estimateBasis }: NodeToAssign, qty: number): number | null {
  if (estimatedMinutes === null) return null;
  return estimateBasis === 'unit' ? estimatedMinutes * qty : estimatedMinutes;
}

/** Those that share a node, a site and a scope, and are of one size. */
function groups(waiting: readonly Waiting[]): [Waiting, ...Waiting[]][] {
  const found = new Map<string, [Waiting, ...Waiting[]]>();
  for (const one of waiting) {
    const { node, token } = one;
    const instance = node.limitScope === 'INSTANCE' ? token.instanceId : '';
    const key = [node.id, token.siteId, instance, token.qty].join(' ');
    const group = found.get(key);
    if (group) group.push(one);
    else found.set(key, [one]);
  }
  return [...found.values()];
}
