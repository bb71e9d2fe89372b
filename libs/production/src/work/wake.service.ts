import { Injectable } from '@nestjs/common';
import { Database, Outbox } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { Command } from '../production.command.js';
import { announceWake } from './limit.queries.js';
import { scopeColumns, scopeKey, type Scope } from './scope.rules.js';

/** Says that a place may have become free. Who waits for one is let in after the transaction, by whoever hears it. */
@Injectable()
export class Wake {
  readonly #rung = new WeakMap<EntityManager, Set<string>>();

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  /** Once per scope and transaction; where there is no limit nobody waits for a place. */
  ring(command: Command, scopes: Iterable<Scope>): Promise<void> {
    return this.announce(command, scopes, false);
  }

  /** As `ring`, also where there is no limit: something else than a place may be what was waited for. */
  ringAll(command: Command, scopes: Iterable<Scope>): Promise<void> {
    return this.announce(command, scopes, true);
  }

  private async announce({ tx }: Command, scopes: Iterable<Scope>, all: boolean): Promise<void> {
    const rung = this.#rung.get(tx) ?? new Set<string>();
    this.#rung.set(tx, rung);
    const { keys, values } = scopeColumns([...scopes].filter((scope) => !rung.has(scopeKey(scope))));
    if (keys.length === 0) return;
    for (const { key } of await announceWake(tx, [...values, all])) rung.add(key);
    this.database.afterCommit(tx, () => {
      this.outbox.ring();
    });
  }
}
