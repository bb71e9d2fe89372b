import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, Outbox, type Caller } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { SheetRow } from '../charges/charge.queries.js';
import { EventCharges, type ChargeableMovement, type ForeseenCharges } from '../charges/event-charges.service.js';
import { postMovements, type BulkDocument } from './bulk-posting.queries.js';
import { PostingTime } from './posting-time.service.js';
import { documentPrefixes } from './posting.rules.js';
import { chargeableOf, Outdated, type MovementDraft } from './posting.service.js';
import { LedgerRefusal, refused } from './refusal.service.js';

/** A movement whose time is known, and that takes no other back. */
export type DatedDraft = MovementDraft & { readonly effectiveAt: Date; readonly reversesMovementId?: undefined };

/** The ledger does not take the movements together; which of them is to blame shows when each is posted by itself. */
export class RefusedTogether extends Error {
  override readonly name = 'RefusedTogether';

  constructor(override readonly cause: LedgerRefusal) {
    super('The ledger refused movements that were posted together');
  }
}

interface Bulk {
  readonly draft: DatedDraft;
  readonly id: string;
  readonly backdated: boolean;
  /** Undefined when it cannot be known before the movement is there. */
  readonly cost: ForeseenCharges | undefined;
  readonly chargeable: ChargeableMovement | undefined;
}

const free: ForeseenCharges = { rows: [], rates: [], charges: [] };

/** Posts what somebody has written down elsewhere, many movements at a time. */
@Injectable()
export class BulkPosting {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly charges: EventCharges,
    private readonly time: PostingTime,
  ) {}

  /**
   * Posts movements of one warehouse as `Posting.post` does one after the other, in one statement, and in a few more for
   * each whose cost follows from others. Their times must not go back. What the ledger refuses breaks the transaction, as
   * `RefusedTogether`.
   */
  async post(tx: EntityManager, by: Caller, drafts: readonly DatedDraft[]): Promise<void> {
    const [first] = drafts;
    if (!first) return;
    const { warehouse } = first;
    const bulk: Bulk[] = [];
    for (const draft of drafts) bulk.push(await this.prepared(tx, by, draft));

    const posted = await written(tx, by, bulk).catch((error: unknown) => {
      const lines = drafts.flatMap((draft) => draft.lines);
      const refusal = refused(error, lines, first.effectiveAt, warehouse.closedThrough);
      throw refusal instanceof LedgerRefusal ? new RefusedTogether(refusal) : refusal;
    });
    if (posted.length < bulk.length) throw new Outdated();
    this.ringAfter(tx);
    for (const { chargeable, cost } of bulk) {
      if (chargeable && !cost) await this.charges.charge(tx, by, chargeable);
    }
  }

  /** By itself: what is called after the commit would otherwise hold on to the movements until then. */
  private ringAfter(tx: EntityManager): void {
    this.database.afterCommit(tx, () => {
      this.outbox.ring();
    });
  }

  private async prepared(tx: EntityManager, by: Caller, draft: DatedDraft): Promise<Bulk> {
    const { id = randomUUIDv7(), charged } = draft;
    const chargeable = charged && chargeableOf(draft, id, charged.on);
    const cost = chargeable ? this.charges.foresee(by, chargeable) : free;
    return { draft, id, backdated: await this.time.check(tx, by, draft), cost, chargeable };
  }
}

function written(tx: EntityManager, by: Caller, bulk: readonly Bulk[]) {
  const lines = bulk.flatMap(({ id, draft }) => draft.lines.map((line, index) => ({ ...line, id, lineNo: index + 1 })));
  const stacking = bulk.flatMap(({ id, draft }) => (draft.stacking ?? []).map((one) => ({ ...one, id })));
  const rates = new Map<string, Pick<SheetRow, 'id' | 'version'>>();
  for (const { cost } of bulk) for (const rate of cost?.rates ?? []) rates.set(rate.id, rate);
  const [first] = bulk;
  return postMovements(tx, [
    by.accountId,
    by.requestId,
    by.reason ?? '',
    JSON.stringify(bulk.map(documentOf)),
    lines.map(({ id }) => id),
    lines.map(({ lineNo }) => lineNo),
    lines.map(({ locationId }) => locationId),
    lines.map(({ skuId }) => skuId),
    lines.map(({ lotId }) => lotId),
    lines.map(({ stockStatus }) => stockStatus),
    lines.map(({ units }) => units.toString()),
    lines.map(({ palletsReported }) => palletsReported ?? null),
    lines.map(({ palletsComputed }) => palletsComputed ?? null),
    first?.draft.warehouse.id,
    first?.draft.warehouse.code,
    first?.draft.warehouse.timezone,
    stacking.map(({ id }) => id),
    stacking.map(({ lotId }) => lotId),
    stacking.map(({ storageCartonsPerPallet }) => storageCartonsPerPallet),
    stacking.map(({ shippingCartonsPerPallet }) => shippingCartonsPerPallet),
    JSON.stringify(bulk.flatMap(({ cost }) => cost?.rows ?? [])),
    [...rates.keys()],
    [...rates.values()].map(({ version }) => version),
  ]);
}

function documentOf({ id, draft, backdated, cost }: Bulk, place: number): BulkDocument {
  const { kind, charged } = draft;
  return {
    place,
    id,
    kind,
    prefix: documentPrefixes[kind],
    at: draft.effectiveAt.toISOString(),
    chargedOn: cost && cost.rows.length > 0 ? (charged?.on ?? null) : null,
    reason: draft.reasonCode ?? null,
    reference: draft.reference ?? null,
    counterparty: draft.counterparty ?? null,
    container: draft.containerNumber ?? null,
    inbound: draft.inboundType ?? null,
    ship: draft.shipMode ?? null,
    sourceType: draft.sourceType ?? null,
    sourceId: draft.sourceId ?? null,
    backdated,
    note: draft.note ?? null,
  };
}
