import { Injectable } from '@nestjs/common';
import type { Executor } from '@belay/platform';
import type { Command, LockedToken } from '../production.command.js';
import { scopeKey, type Scope } from './scope.rules.js';
import { aheadOf } from './wait-estimate.queries.js';

/** What decides whose turn it is: priority, then when it is due, then who came first. */
export interface Turn {
  readonly tokenId: string;
  readonly priority: number;
  readonly dueAt: Date | null;
  readonly enteredAt: Date;
  readonly scope: Scope;
}

/** Whose turn it is in the queue of a scope, 1 being next. */
@Injectable()
export class Turns {
  /** Of tokens that wait. */
  async standing(on: Executor, turns: readonly Turn[]): Promise<Map<string, number>> {
    if (turns.length === 0) return new Map();
    const rows = await aheadOf(on, [
      turns.map(({ tokenId }) => tokenId),
      turns.map(({ scope }) => (scope.kind === 'work-center' ? scope.workCenterId : null)),
      turns.map(({ scope }) => (scope.kind === 'node' ? scope.graphId : null)),
      turns.map(({ scope }) => (scope.kind === 'node' ? scope.nodeCode : null)),
      turns.map(({ scope }) => (scope.kind === 'node' ? scope.instanceId : null)),
      turns.map(({ priority }) => priority),
      turns.map(({ dueAt }) => dueAt),
      turns.map(({ enteredAt }) => enteredAt),
    ]);
    return new Map(rows.map(({ tokenId, ahead }) => [tokenId, ahead + 1]));
  }

  /** Of tokens that are about to queue up, those among them that come first counted. */
  async joining(on: Executor, turns: readonly Turn[]): Promise<Map<string, number>> {
    const before = await this.standing(on, turns);
    const together = new Map<string, number>();
    return new Map(
      turns.toSorted(byTurn).map(({ tokenId, scope }) => {
        const key = scopeKey(scope);
        const earlier = together.get(key) ?? 0;
        together.set(key, earlier + 1);
        return [tokenId, (before.get(tokenId) ?? 1) + earlier];
      }),
    );
  }

  /** Where the token would stand if it queued up now. */
  async position({ tx, at }: Command, token: LockedToken, scope: Scope): Promise<number> {
    const { id: tokenId, priority, dueAt } = token;
    return (await this.standing(tx, [{ tokenId, priority, dueAt, enteredAt: at, scope }])).get(tokenId) ?? 1;
  }
}

function byTurn(one: Turn, other: Turn): number {
  const due = ({ dueAt }: Turn) => dueAt?.getTime() ?? Infinity;
  if (one.priority !== other.priority) return other.priority - one.priority;
  if (due(one) !== due(other)) return due(one) < due(other) ? -1 : 1;
  return one.tokenId < other.tokenId ? -1 : 1;
}
