import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { BusyRetry, claimValues, Database, databaseError, Outbox, type Caller, type Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { SheetRow } from '../charges/charge.queries.js';
import type { ChargedEvent } from '../charges/charge.rules.js';
import {
  EventCharges,
  type ChargeableMovement,
  type ForeseenCharges,
  type MovementCharge,
} from '../charges/event-charges.service.js';
import type { KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { PostingTime } from './posting-time.service.js';
import { postMovement, type BucketsAtTime } from './posting.queries.js';
import { documentPrefixes, type LineDraft, type MovementKind } from './posting.rules.js';
import { LedgerRefusal, refused, Refusals } from './refusal.service.js';

export type { LineDraft } from './posting.rules.js';

/** How a lot is stacked in the warehouse: kept at its first receipt there, and ignored afterwards. */
export interface Stacking {
  readonly lotId: string;
  readonly storageCartonsPerPallet: number;
  readonly shippingCartonsPerPallet: number;
}

/** What a receipt or a shipment is charged by, beside what the movement itself says. */
interface Chargeable {
  readonly lines: ChargedEvent['lines'];
  /** The day in the warehouse for which the sheet was read. */
  readonly on: string;
  /** The rates of the warehouse, for who has read them: null when it has none. */
  readonly sheet?: readonly SheetRow[] | null;
}

export interface MovementDraft {
  /** Made when absent. */
  readonly id?: string;
  readonly warehouse: KnownWarehouse;
  readonly kind: MovementKind;
  /** Absent: now, as it is once the buckets are held. */
  readonly effectiveAt?: Date | undefined;
  readonly reasonCode?: string | undefined;
  readonly reference?: string | undefined;
  readonly counterparty?: string | undefined;
  readonly containerNumber?: string | undefined;
  readonly inboundType?: ChargedEvent['inboundType'] | undefined;
  readonly shipMode?: 'PALLETS' | 'CARTONS' | undefined;
  readonly sourceType?: string | undefined;
  readonly sourceId?: string | undefined;
  readonly reversesMovementId?: string | undefined;
  readonly note?: string | undefined;
  /** At least one, in the order in which they are numbered. */
  readonly lines: readonly LineDraft[];
  readonly stacking?: readonly Stacking[];
  /** Only of receipts and shipments. */
  readonly charged?: Chargeable;
  /** What the given time means for the buckets, for who has read it. */
  readonly timing?: BucketsAtTime;
}

/** Instants are ISO texts; `effectiveOn` is the day in the warehouse. */
export interface PostedMovement {
  readonly id: string;
  readonly number: string;
  readonly effectiveAt: string;
  readonly effectiveOn: string;
  readonly recordedAt: string;
  readonly backdated: boolean;
  readonly charges: MovementCharge[];
}

/** What only the posting itself knows of an answer. */
export type PostedFacts = Pick<PostedMovement, 'id' | 'number' | 'effectiveAt' | 'recordedAt' | 'backdated'>;

const mostTries = 4;
const passing = new Set(['40P01', '40001', '55P03']);

/** What is written in the statement beside the movement itself. */
interface Beside {
  /** Whose request keeps the answer. */
  readonly claimant?: Caller;
  readonly answer?: object;
  readonly cost?: Pick<ForeseenCharges, 'rows' | 'rates'> & { readonly on: string | null };
}

const free = { rows: [], rates: [], charges: [] } satisfies ForeseenCharges;

/** What was read before is no longer so: a rate was changed, or midnight passed. */
export class Outdated extends Error {
  override readonly name = 'Outdated';
}

/** The one way in which stock changes. */
@Injectable()
export class Posting {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly charges: EventCharges,
    private readonly refusals: Refusals,
    private readonly time: PostingTime,
  ) {}

  /**
   * Posts a movement in somebody's transaction, with its charges and facts. A time at which the caller may not post is
   * refused: `period-closed`, `backdating-not-allowed`, 422 when it is to come. Whatever the ledger refuses breaks the
   * transaction, and is explained by `inPosting` around it.
   */
  async post(tx: EntityManager, by: Caller, draft: MovementDraft): Promise<PostedMovement> {
    const posted = await this.write(tx, by, draft, {});
    this.database.afterCommit(tx, () => {
      this.outbox.ring();
    });
    return { ...posted, charges: await this.charge(tx, by, draft, posted.id, posted.effectiveOn) };
  }

  /**
   * Posts a movement and its charges in one statement of its own, which also keeps the answer under the key of the request.
   * Undefined, and nothing is posted, when that takes more than one statement: then it is for `post`. Only inside `alone`.
   */
  async postAlone<Answer extends object>(
    by: Caller,
    draft: MovementDraft,
    answer: Answer,
  ): Promise<(Answer & PostedFacts & Pick<PostedMovement, 'charges'>) | undefined> {
    const { charged, id = randomUUIDv7() } = draft;
    const cost = this.foreseen(by, draft, id);
    if (!cost) return undefined;
    const { charges } = cost;
    const posted = await this.write(
      this.database.dataSource,
      by,
      { ...draft, id },
      { claimant: by, answer: { ...answer, charges }, cost: { ...cost, on: charged?.sheet ? charged.on : null } },
    );
    this.outbox.ring();
    return { ...answer, ...posted, charges };
  }

  /** Runs a use case whose one effect is `postAlone`, with the promises of `inPosting`. */
  alone<Answer>(by: Caller, work: () => Promise<Answer>): Promise<Answer> {
    return this.database.once(by, () => this.insist(work));
  }

  /**
   * Runs a use case that posts in its transaction. When others are in its way it is run again, up to four times in all, and
   * then `busy-retry`; what the ledger refused becomes `insufficient-stock` or `later-balance-negative`, with what there is.
   */
  inPosting<Answer>(by: Caller, work: (tx: EntityManager) => Promise<Answer>): Promise<Answer> {
    return this.insist(() =>
      this.database.transaction(by, async (tx) => {
        await tx.query(`SET LOCAL lock_timeout = '3s'`);
        return work(tx);
      }),
    );
  }

  private async insist<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    for (let tried = 1; ; tried += 1) {
      try {
        return await work();
      } catch (error) {
        const problem = error instanceof LedgerRefusal ? await this.refusals.explain(error) : undefined;
        if (problem) throw problem;
        if (!mayPass(error)) throw error;
        if (tried === mostTries) throw new BusyRetry('conflict');
        await sleep(20 + Math.random() * 180);
      }
    }
  }

  private async write(
    on: Executor,
    by: Caller,
    draft: MovementDraft,
    { claimant, answer, cost = { ...free, on: null } }: Beside,
  ): Promise<PostedFacts & { readonly effectiveOn: string }> {
    const { warehouse, kind, effectiveAt, lines, stacking = [], id = randomUUIDv7() } = draft;
    const backdated = await this.time.check(on, by, draft);
    const values = [
      by.accountId,
      by.requestId,
      by.reason ?? '',
      lines.map((line) => line.locationId),
      lines.map((line) => line.skuId),
      lines.map((line) => line.lotId),
      lines.map((line) => line.stockStatus),
      lines.map((line) => line.units.toString()),
      lines.map((line) => line.palletsReported ?? null),
      lines.map((line) => line.palletsComputed ?? null),
      effectiveAt ?? null,
      warehouse.id,
      warehouse.code,
      warehouse.timezone,
      kind,
      documentPrefixes[kind],
      id,
      draft.reasonCode ?? null,
      draft.reference ?? null,
      draft.counterparty ?? null,
      draft.containerNumber ?? null,
      draft.inboundType ?? null,
      draft.shipMode ?? null,
      draft.sourceType ?? null,
      draft.sourceId ?? null,
      draft.reversesMovementId ?? null,
      backdated,
      draft.note ?? null,
      stacking.map((one) => one.lotId),
      stacking.map((one) => one.storageCartonsPerPallet),
      stacking.map((one) => one.shippingCartonsPerPallet),
      kind === 'REVERSAL' ? ['wms.movement.posted', 'wms.movement.reversed'] : ['wms.movement.posted'],
      JSON.stringify({ ...answer, id, backdated }),
      ...claimValues(claimant),
      JSON.stringify(cost.rows),
      cost.rates.map((rate) => rate.id),
      cost.rates.map((rate) => rate.version),
      cost.on,
    ];
    try {
      const [written] = await postMovement(on, values);
      if (written) return { id, backdated, ...written };
    } catch (error) {
      throw refused(error, lines, effectiveAt, warehouse.closedThrough);
    }
    throw new Outdated();
  }

  private foreseen(by: Caller, draft: MovementDraft, id: string): ForeseenCharges | undefined {
    if (draft.reversesMovementId !== undefined) return undefined;
    const chargeable = draft.charged && chargeableOf(draft, id, draft.charged.on);
    return chargeable ? this.charges.foresee(by, chargeable) : free;
  }

  private async charge(
    tx: EntityManager,
    by: Caller,
    draft: MovementDraft,
    id: string,
    effectiveOn: string,
  ): Promise<MovementCharge[]> {
    const { warehouse, reversesMovementId: movementId } = draft;
    if (movementId !== undefined) return this.charges.undo(tx, by, { movementId }, { id, warehouse, effectiveOn });
    const chargeable = chargeableOf(draft, id, effectiveOn);
    return chargeable ? this.charges.charge(tx, by, chargeable) : [];
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof LedgerRefusal || error instanceof Outdated) return true;
  return passing.has(databaseError(error)?.code ?? '');
}

/** What of the movement is charged, for the day; undefined when nothing is. */
export function chargeableOf(draft: MovementDraft, id: string, on: string): ChargeableMovement | undefined {
  const { warehouse, kind, charged, lines } = draft;
  if (!charged || (kind !== 'RECEIVE' && kind !== 'SHIP')) return undefined;
  const { inboundType = null, containerNumber = null } = draft;
  const numbered = lines.map(({ skuId, lotId }, index) => ({ lineNo: index + 1, skuId, lotId }));
  const event = { kind, on, inboundType, containerNumber, lines: charged.lines };
  return { id, warehouse, event, lines: numbered, ...(charged.sheet !== undefined && { sheet: charged.sheet }) };
}
