import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import {
  claimValues,
  Database,
  databaseError,
  InvalidRequest,
  Outbox,
  type Caller,
  type Executor,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { SheetRow } from '../charges/charge.queries.js';
import type { ChargedEvent } from '../charges/charge.rules.js';
import { EventCharges, type MovementCharge } from '../charges/event-charges.service.js';
import type { KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { BackdatingNotAllowed, PeriodClosed, PostingBusy } from './posting.problems.js';
import { bucketsAtTime, postMovement, type BucketsAtTime } from './posting.queries.js';
import { documentPrefixes, type LineDraft, type MovementKind } from './posting.rules.js';
import { LedgerRefusal, refused, Refusals } from './refusal.service.js';

export type { LineDraft, MovementKind } from './posting.rules.js';

/** How a lot is stacked in the warehouse: kept at its first receipt there, and ignored afterwards. */
export interface Stacking {
  readonly lotId: string;
  readonly storageCartonsPerPallet: number;
  readonly shippingCartonsPerPallet: number;
}

/** What a receipt or a shipment is charged by, beside what the movement itself says. */
export interface Chargeable {
  readonly lines: ChargedEvent['lines'];
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

const BACKDATE = 'wms.inventory:backdate';
const OVERRIDE = 'wms.period:override';
const mostTries = 4;
const passing = new Set(['40P01', '40001', '55P03']);

/** The one way in which stock changes. */
@Injectable()
export class Posting {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly charges: EventCharges,
    private readonly refusals: Refusals,
  ) {}

  /**
   * Posts a movement in somebody's transaction, with its charges and facts. A time at which the caller may not post is
   * refused: `period-closed`, `backdating-not-allowed`, 422 when it is to come. Whatever the ledger refuses breaks the
   * transaction, and is explained by `inPosting` around it.
   */
  async post(tx: EntityManager, by: Caller, draft: MovementDraft): Promise<PostedMovement> {
    const { effectiveOn, ...facts } = await this.write(tx, by, draft, undefined, {});
    this.database.afterCommit(tx, () => {
      this.outbox.ring();
    });
    return { ...facts, effectiveOn, charges: await this.charge(tx, by, draft, facts.id, effectiveOn) };
  }

  /** Whether nothing is to be charged, so that the movement can stand alone. */
  isFree(by: Caller, { charged, kind }: MovementDraft): boolean {
    if (!this.charges.areOn(by)) return true;
    return kind !== 'REVERSAL' && (charged === undefined || charged.sheet === null);
  }

  /**
   * Posts a movement that is free in one statement of its own, which also keeps the answer under the key of the request.
   * Only inside `alone`.
   */
  async postAlone<Answer extends object>(
    by: Caller,
    draft: MovementDraft,
    answer: Answer,
  ): Promise<Answer & PostedFacts> {
    const posted = await this.write(this.database.dataSource, by, draft, by, answer);
    this.outbox.ring();
    return { ...answer, ...posted };
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
        if (!(error instanceof LedgerRefusal) && !passing.has(databaseError(error)?.code ?? '')) throw error;
        if (tried === mostTries) throw new PostingBusy();
        await sleep(20 + Math.random() * 180);
      }
    }
  }

  private async write(
    on: Executor,
    by: Caller,
    draft: MovementDraft,
    claimant: Caller | undefined,
    answer: object,
  ): Promise<PostedFacts & { readonly effectiveOn: string }> {
    const { warehouse, kind, effectiveAt, lines, stacking = [], id = randomUUIDv7() } = draft;
    const backdated = await this.checkTime(on, by, draft);
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
    ];
    try {
      const [written] = await postMovement(on, values);
      if (!written) throw new Error('A movement that was posted is answered');
      return { id, backdated, ...written };
    } catch (error) {
      throw refused(error, lines, effectiveAt, warehouse.closedThrough);
    }
  }

  /** Whether the time is before something that is known of a bucket; throws when the caller may not post at it. */
  private async checkTime(on: Executor, by: Caller, draft: MovementDraft): Promise<boolean> {
    const { warehouse, effectiveAt, lines } = draft;
    if (!effectiveAt) return false;
    const timing = draft.timing ?? (await timingOf(on, warehouse, effectiveAt, lines));
    if (timing.isFuture) {
      throw new InvalidRequest([{ pointer: '#/effectiveAt', detail: 'must not be more than five minutes from now' }]);
    }
    const { closedThrough } = warehouse;
    if (closedThrough !== null && timing.effectiveOn <= closedThrough) throw new PeriodClosed(closedThrough);
    if (timing.later === null) return false;

    const lacks = (permission: string) => by.kind !== 'system' && !by.may(permission, warehouse.siteId);
    const needs = [
      ...(lacks(BACKDATE) ? [`the permission ${BACKDATE}`] : []),
      ...(timing.isOld && lacks(OVERRIDE) ? [`the permission ${OVERRIDE}`] : []),
      ...((by.reason ?? draft.reasonCode ?? draft.note ?? '') === '' ? ['a reason'] : []),
    ];
    if (needs.length > 0) throw new BackdatingNotAllowed(needs, timing.later);
    return true;
  }

  private async charge(
    tx: EntityManager,
    by: Caller,
    draft: MovementDraft,
    id: string,
    effectiveOn: string,
  ): Promise<MovementCharge[]> {
    const { warehouse, kind, charged, lines, reversesMovementId: movementId } = draft;
    if (movementId !== undefined) return this.charges.undo(tx, by, { movementId }, { id, warehouse, effectiveOn });
    if (!charged || (kind !== 'RECEIVE' && kind !== 'SHIP')) return [];
    const event = {
      kind,
      on: effectiveOn,
      inboundType: draft.inboundType ?? null,
      containerNumber: draft.containerNumber ?? null,
      lines: charged.lines,
    };
    const numbered = lines.map(({ skuId, lotId }, index) => ({ lineNo: index + 1, skuId, lotId }));
    const { sheet } = charged;
    return this.charges.charge(tx, by, {
      id,
      warehouse,
      event,
      lines: numbered,
      ...(sheet !== undefined && { sheet }),
    });
  }
}

async function timingOf(
  on: Executor,
  { id, timezone }: KnownWarehouse,
  at: Date,
  lines: readonly LineDraft[],
): Promise<BucketsAtTime> {
  const [timing] = await bucketsAtTime(on, [
    at,
    timezone,
    id,
    lines.map((line) => line.locationId),
    lines.map((line) => line.lotId),
    lines.map((line) => line.stockStatus),
  ]);
  if (!timing) throw new Error('A question about a time is answered');
  return timing;
}
