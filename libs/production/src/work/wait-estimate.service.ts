import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { QueueReason } from '../lifecycle/token.rules.js';
import { AssignmentPolicies } from './assignment-policies.service.js';
import type { AssignmentPolicy, NodeToAssign, TokenToAssign } from './assignment-policy.contract.js';
import { scopeOf } from './scope.rules.js';
import { waitFactsOf } from './wait-estimate.queries.js';
import { waitsOf, type WaitFacts } from './wait-estimate.rules.js';

/** A token that waits, or is about to. */
export interface Waiting {
  readonly token: TokenToAssign;
  readonly node: NodeToAssign;
  readonly queueReason: QueueReason;
  /** In its scope, from 1. */
  readonly position: number;
  /** The limit that would hold instead of the one that does; null without one. */
  readonly concurrency?: number | null;
}

/** Who knows how many could do a node's work, and when those who are missing are back. */
export type KnowsPeople = Pick<AssignmentPolicy, 'headcount' | 'nextStart'>;

/** Those that share a node, a site and a scope, and are of one size. */
type Group = readonly [Waiting, ...Waiting[]];

const MINUTE = 60_000;
const unavailable: readonly QueueReason[] = ['TEAM_UNAVAILABLE', 'OPERATOR_UNAVAILABLE'];
/** What has no end that could be foreseen. */
const unforeseen: readonly QueueReason[] = ['NO_MATCH', 'JOIN_WAIT', 'WAIT_CONDITION', 'MACHINE_BUSY', 'JOB_PAUSED'];

@Injectable()
export class WaitEstimates {
  constructor(private readonly policies: AssignmentPolicies) {}

  /** Minutes that each token is likely to wait; null when nobody can say. The policy in force is asked, or `people`. */
  async of(
    tx: EntityManager,
    waiting: readonly Waiting[],
    at: Date,
    people?: KnowsPeople,
  ): Promise<Map<string, number | null>> {
    const waits = new Map<string, number | null>(waiting.map(({ token }) => [token.id, null]));
    const alike = groups(waiting.filter(({ queueReason }) => !unforeseen.includes(queueReason)));
    const knows = ({ graphId }: NodeToAssign) => people ?? this.policies.now(graphId).policy;
    const facts = await this.factsOf(tx, alike, at, knows);
    const starts = await Promise.all(alike.map((group) => this.startsOf(tx, group, at, knows)));
    alike.forEach((group, index) => {
      const known = facts[index];
      if (!known) return;
      const turns = waitsOf(known, Math.max(...group.map(({ position }) => position)));
      for (const { token, queueReason, position } of group) {
        const wait = turns?.[position - 1] ?? null;
        const start = starts[index]?.get(token.id);
        const later = start ? Math.max(0, Math.ceil((start.getTime() - at.getTime()) / MINUTE)) : null;
        const missing = unavailable.includes(queueReason) ? later : 0;
        waits.set(token.id, wait === null || missing === null ? null : wait + missing);
      }
    });
    return waits;
  }

  /** Those of all groups are read at once. */
  private async factsOf(
    tx: EntityManager,
    alike: readonly Group[],
    at: Date,
    knows: (node: NodeToAssign) => KnowsPeople,
  ): Promise<WaitFacts[]> {
    if (alike.length === 0) return [];
    const scopes = alike.map(([{ node, token }]) => scopeOf(node, token.instanceId));
    const rows = await waitFactsOf(tx, [
      alike.map(([{ node }]) => node.id),
      scopes.map((scope) => (scope.kind === 'work-center' ? scope.workCenterId : null)),
      scopes.map((scope) => (scope.kind === 'node' ? scope.graphId : null)),
      scopes.map((scope) => (scope.kind === 'node' ? scope.nodeCode : null)),
      scopes.map((scope) => (scope.kind === 'node' ? scope.instanceId : null)),
      at,
    ]);
    return Promise.all(
      alike.map(async ([{ node, token, ...asked }], index): Promise<WaitFacts> => {
        const row = rows[index];
        const concurrency = asked.concurrency === undefined ? row?.concurrency : asked.concurrency;
        const servers = concurrency ?? (await knows(node).headcount(tx, node, token.siteId, at));
        return { service: row?.minutes ?? designedMinutes(node, token.qty), servers, elapsed: row?.elapsed ?? [] };
      }),
    );
  }

  /** When whom the tokens wait for is back; only of those who wait for people. */
  private async startsOf(
    tx: EntityManager,
    group: Group,
    at: Date,
    knows: (node: NodeToAssign) => KnowsPeople,
  ): Promise<ReadonlyMap<string, Date>> {
    const away = group.filter(({ queueReason }) => unavailable.includes(queueReason)).map(({ token }) => token);
    if (away.length === 0) return new Map();
    const [{ node }] = group;
    return knows(node).nextStart(tx, away, node, at);
  }
}

function designedMinutes({ estimatedMinutes, estimateBasis }: NodeToAssign, qty: number): number | null {
  if (estimatedMinutes === null) return null;
  return estimateBasis === 'unit' ? estimatedMinutes * qty : estimatedMinutes;
}

function groups(waiting: readonly Waiting[]): Group[] {
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
