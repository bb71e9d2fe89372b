import { Injectable } from '@nestjs/common';
import { Outbox, type Caller } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { disputeMayBecome, disputeTransitions, type DisputeState } from './dispute-state.rules.js';
import type { DisputeChanged } from '../wms.events.js';
import { InvalidTransition } from '../wms.problems.js';
import { endDispute, insertDisputeEvent, openDisputesOf, type DisputeRow } from './dispute.queries.js';

type Announced = Pick<DisputeRow, 'id' | 'invoiceId' | 'number' | 'status' | 'resolution'>;

/** What a dispute becomes, its timeline, and who hears of it. */
@Injectable()
export class DisputeStates {
  constructor(private readonly outbox: Outbox) {}

  check({ status }: DisputeRow, to: DisputeState): void {
    if (!disputeMayBecome(status, to)) throw new InvalidTransition('dispute', status, disputeTransitions[status]);
  }

  async note(
    tx: EntityManager,
    by: Caller,
    id: string,
    kind: string,
    status: DisputeState,
    note?: string,
  ): Promise<void> {
    await insertDisputeEvent(tx, [id, kind, status, note ?? null, by.accountId]);
  }

  async announce(tx: EntityManager, dispute: Announced, from: DisputeState | null, overdue = false): Promise<void> {
    const { id: disputeId, invoiceId, number, status, resolution } = dispute;
    const changed: DisputeChanged = {
      name: 'wms.dispute.changed',
      body: { disputeId, invoiceId, number, from, status, resolution, overdue },
    };
    await this.outbox.add(tx, changed, 'wms');
  }

  /** Ends every dispute about the invoice that is still open, because there is nothing left to argue about. */
  async withdrawAll(tx: EntityManager, by: Caller, invoiceId: string, note: string): Promise<void> {
    for (const dispute of await openDisputesOf(tx, [invoiceId])) {
      await endDispute(tx, [dispute.id, 'withdrawn', 'withdrawn', null, null, by.accountId]);
      await this.note(tx, by, dispute.id, 'withdrawn', 'withdrawn', note);
      await this.announce(tx, { ...dispute, status: 'withdrawn', resolution: 'withdrawn' }, dispute.status);
    }
  }
}
