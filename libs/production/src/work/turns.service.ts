import { Injectable } from '@nestjs/common';
import type { Executor } from '@belay/platform';
import type { Command, LockedToken } from '../production.command.js';
import { scopeKey, type Scope } from './scope.rules.js';
import { turnsOf } from './wait-estimate.queries.js';

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
  /** Of tokens that wait, or are about to; those that are asked about count too. */
  async positions(on: Executor, turns: readonly Turn[]): Promise<Map<string, number>> {
    if (turns.length === 0) return new Map();
    const rows = await turnsOf(on, [
      turns.map(({ tokenId }) => tokenId),
      turns.map(({ scope }) => scopeKey(scope)),
      turns.map(({ scope }) => (scope.kind === 'work-center' ? scope.workCenterId : null)),
      turns.map(({ scope }) => (scope.kind === 'node' ? scope.graphId : null)),
      turns.map(({ scope }) => (scope.kind === 'node' ? scope.nodeCode : null)),
      turns.map(({ scope }) => (scope.kind === 'node' ? scope.instanceId : null)),
      turns.map(({ priority }) => priority),
      turns.map(({ dueAt }) => dueAt),
      turns.map(({ enteredAt }) => enteredAt),
    ]);
    return new Map(rows.map(({ tokenId, position }) => [tokenId, position]));
  }

  /** Where the token would stand if it queued up now. */
  async position({ tx, at }: Command, token: LockedToken, scope: Scope): Promise<number> {
    const { id: tokenId, priority, dueAt } = token;
    return (await this.positions(tx, [{ tokenId, priority, dueAt, enteredAt: at, scope }])).get(tokenId) ?? 1;
  }
}
