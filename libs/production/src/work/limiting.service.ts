import { Injectable } from '@nestjs/common';
import type { Command } from '../production.command.js';
import { lockScopes, occupancyOf, type ScopeLimits, type ScopeOccupancy } from './limit.queries.js';
import { arrivalsOf, type Verdict } from './limit.rules.js';
import { scopeColumns, scopeKey, type Scope } from './scope.rules.js';

/** A token that wants to be let in. */
export interface Wanting {
  readonly id: string;
  readonly scope: Scope;
  /** Has no other place to stay: it is let into the queue however long that is. */
  readonly mayOverfill: boolean;
}

/** A scope that is locked, with what it allows and what there is in it. */
export interface HeldScope {
  readonly limits: ScopeLimits;
  readonly occupancy: ScopeOccupancy;
}

/** What limits say. They are read where they are kept at each command, because they change without a new version. */
@Injectable()
export class Limiting {
  /** The limits' word on each token, in the order in which they come; those that are counted already do not count twice. */
  async admit(command: Command, wanting: readonly Wanting[]): Promise<Map<string, Verdict>> {
    const held = await this.hold(
      command,
      wanting.map(({ scope }) => scope),
      { besides: wanting.map(({ id }) => id) },
    );
    const verdicts = new Map<string, Verdict>();
    for (const [key, { limits, occupancy }] of held) {
      const those = wanting.filter(({ scope }) => scopeKey(scope) === key);
      const overfilling = those.map(({ mayOverfill }) => mayOverfill);
      arrivalsOf(limits, occupancy, overfilling).forEach((verdict, index) => {
        const one = those[index];
        if (one) verdicts.set(one.id, verdict);
      });
    }
    return verdicts;
  }

  /**
   * Locks the scopes that have limits, or all of them when told so, until the transaction ends. Tokens are locked before;
   * who has none locked may take others only if nobody has them.
   */
  async hold(
    { tx }: Command,
    scopes: readonly Scope[],
    { besides = [], all = false }: { readonly besides?: readonly string[]; readonly all?: boolean } = {},
  ): Promise<Map<string, HeldScope>> {
    const { values } = scopeColumns(scopes);
    const limits = await lockScopes(tx, [...values, all]);
    if (limits.length === 0) return new Map();
    const limited = new Set(limits.map(({ key }) => key));
    const { values: held } = scopeColumns(scopes.filter((scope) => limited.has(scopeKey(scope))));
    const rows = new Map((await occupancyOf(tx, [...held, besides])).map((row) => [row.key, row]));
    return new Map(
      limits.flatMap((one) => {
        const occupancy = rows.get(one.key);
        return occupancy ? [[one.key, { limits: one, occupancy }]] : [];
      }),
    );
  }
}
