import { Inject, Injectable } from '@nestjs/common';
import { Outbox, RUNTIME, type Runtime } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { OperatorAvailable, OperatorUnavailable } from '../assignment.events.js';
import { Attendances } from './attendances.service.js';
import { keepStates, lockStates, type StateRow } from './operator-state.queries.js';

/** Who is there as of now: kept for screens, and announced whenever it changes. Choices are made from the facts, not from this. */
@Injectable()
export class OperatorStates {
  constructor(
    private readonly attendances: Attendances,
    private readonly outbox: Outbox,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  /**
   * Looks again at these operators, or at everybody, and announces who came or went. To be called in the transaction of
   * what may have changed it, last. Nothing while the runtime is off: what changes then is announced when it is on again.
   */
  async refresh(tx: EntityManager, operatorIds: readonly string[] | null): Promise<void> {
    if (this.runtime.gate.domainMode('assignment') === 'off' || operatorIds?.length === 0) return;
    const [now] = await lockStates(tx, []);
    if (!now) throw new Error('The database told no time');
    const states = (await this.attendances.at(tx, operatorIds, now.at)).map(({ available, ...state }) => ({
      ...state,
      isAvailable: available,
    }));
    const news = await keepStates(tx, [JSON.stringify(states), now.at]);
    for (const state of news) await this.outbox.add(tx, eventOf(state, now.at), 'assignment');
  }
}

function eventOf(
  { operatorId, isAvailable, reason, until }: StateRow,
  at: Date,
): OperatorAvailable | OperatorUnavailable {
  if (isAvailable) return { name: 'assignment.operator-available', body: { operatorId } };
  return {
    name: 'assignment.operator-unavailable',
    body: { operatorId, from: at.toISOString(), until: until?.toISOString() ?? null, reason: reason ?? 'off' },
  };
}
