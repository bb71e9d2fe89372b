import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  Database,
  databaseError,
  decodeCursor,
  InvalidRequest,
  Jobs,
  listFrom,
  PreconditionFailed,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { priceMovements, settleStorage } from '../charges/catch-up.contract.js';
import { NotExact, Rate } from '../money.rules.js';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import { CurrencyDiffers } from '../wms.problems.js';
import type {
  ChangeRate,
  DraftRate,
  OverlapQuestion,
  Overlaps,
  RateFilter,
  RateView,
  Succession,
  SucceedRate,
} from './rate.contract.js';
import { RateFrozen, RateNotFound, RateOverlap } from './rate.problems.js';
import {
  deleteRate,
  dirtyUnratedStorage,
  insertRate,
  lockRates,
  overlappingRates,
  rateById,
  rateList,
  updateRate,
  type RateRow,
} from './rate.queries.js';
import { faultsOf } from './rate.rules.js';

export const READ_RATES = 'wms.rate:read';
export const WRITE_RATES = 'wms.rate:write';
/** What the database says of a rate that was charged by; the last two depend on its version. */
const inUse = ['WM004', '23001', '23503'];
const listKey = z.tuple([z.string(), z.iso.date(), z.uuid()]);

type Terms = Pick<RateRow, 'name' | 'basis' | 'effectiveFrom' | 'effectiveTo'>;

/** Prices and the days they are valid. Whoever changes them has what nobody could price until now priced anew. */
@Injectable()
export class RateService {
  constructor(
    private readonly database: Database,
    private readonly scope: WarehouseScope,
    private readonly jobs: Jobs,
  ) {}

  async list(
    by: Caller,
    { warehouse, category, basis, name, validOn, cursor, limit }: RateFilter,
  ): Promise<List<RateView>> {
    const on = this.database.dataSource;
    const place = warehouse === undefined ? null : (await this.scope.seen(on, by, READ_RATES, warehouse)).id;
    const after = decodeCursor(cursor, listKey) ?? [null, null, null];
    const rows = await rateList(on, [
      this.scope.sites(by, READ_RATES),
      place,
      category ?? null,
      basis ?? null,
      name ?? null,
      validOn ?? null,
      ...after,
      limit + 1,
    ]);
    return listFrom(rows, limit, (row) => [row.sortName, row.effectiveFrom, row.id], view);
  }

  async get(by: Caller, id: string): Promise<RateView> {
    return view(await this.seen(this.database.dataSource, by, id));
  }

  async overlaps(by: Caller, asked: OverlapQuestion): Promise<Overlaps> {
    const on = this.database.dataSource;
    const { id } = await this.scope.seen(on, by, READ_RATES, asked.warehouse);
    return { overlaps: (await overlapsOf(on, id, asked, asked.except ?? null)).map(view) };
  }

  async draft(by: Caller, draft: DraftRate): Promise<RateView> {
    return this.database.transaction(by, (tx) => this.draftIn(tx, by, draft));
  }

  /** As `draft`, in somebody's transaction. */
  async draftIn(tx: EntityManager, by: Caller, draft: DraftRate): Promise<RateView> {
    const warehouse = await this.scope.changeable(tx, by, WRITE_RATES, draft.warehouse);
    if (draft.currency !== warehouse.currency) throw new CurrencyDiffers(warehouse.currency, draft.currency);
    await lockRates(tx, [warehouse.id]);
    const id = await this.add(tx, by, { ...draft, warehouseId: warehouse.id });
    return view(await reread(tx, id));
  }

  /** A rate that was charged by only ends earlier, at the last day on which it was charged at the earliest. */
  async change(by: Caller, id: string, version: number, change: ChangeRate): Promise<RateView> {
    return this.changing(id, () =>
      this.database.transaction(by, async (tx) => {
        const rate = await this.locked(tx, by, id, version);
        const changed = Object.assign({}, rate, change);
        refuseFaults(changed);
        await this.refuseOverlap(tx, rate.warehouseId, changed, id);
        await save(tx, changed, null);
        await this.announce(tx, changed);
        return view(await reread(tx, id));
      }),
    );
  }

  /** Ends the rate and begins its successor the day after, or does neither. */
  async succeed(by: Caller, id: string, terms: SucceedRate): Promise<Succession> {
    return this.changing(id, () =>
      this.database.transaction(by, async (tx) => {
        const rate = await this.locked(tx, by, id);
        const { effectiveFrom } = terms;
        const last = dayBefore(effectiveFrom);
        if (last < rate.effectiveFrom) throw invalid('effectiveFrom', `must be after ${rate.effectiveFrom}`);
        if (rate.effectiveTo !== null && last > rate.effectiveTo) {
          throw invalid('effectiveFrom', `must not leave a gap after ${rate.effectiveTo}`);
        }
        const effectiveTo = terms.effectiveTo === undefined ? rate.effectiveTo : terms.effectiveTo;
        const ended = { ...rate, effectiveTo: last };
        const next = { ...rate, ...terms, params: terms.params ?? rate.params, effectiveFrom, effectiveTo };
        refuseFaults(next);
        await save(tx, ended, null);
        const successor = await this.add(tx, by, next);
        await save(tx, ended, successor);
        return { ended: view(await reread(tx, id)), successor: view(await reread(tx, successor)) };
      }),
    );
  }

  /** Only one that nothing was ever charged by. */
  async remove(by: Caller, id: string, version: number): Promise<void> {
    await this.changing(id, () =>
      this.database.transaction(by, async (tx) => {
        await this.locked(tx, by, id, version);
        await deleteRate(tx, [id]);
      }),
    );
  }

  private async add(
    tx: EntityManager,
    by: Caller,
    rate: Terms &
      Pick<RateRow, 'warehouseId' | 'category' | 'value' | 'currency' | 'unitLabel' | 'notes'> & { params: object },
  ): Promise<string> {
    await this.refuseOverlap(tx, rate.warehouseId, rate, null);
    const id = randomUUIDv7();
    await insertRate(tx, [
      id,
      rate.warehouseId,
      rate.category,
      rate.name,
      rate.basis,
      exact(rate.value, rate.currency),
      rate.currency,
      rate.unitLabel,
      JSON.stringify(rate.params),
      rate.effectiveFrom,
      rate.effectiveTo,
      rate.notes,
      by.accountId,
    ]);
    await this.announce(tx, rate);
    return id;
  }

  /** What waits for a price gets it as soon as this is committed. */
  private async announce(tx: EntityManager, rate: Terms & { warehouseId: string }): Promise<void> {
    const { warehouseId } = rate;
    if (rate.basis === 'pallet_week') {
      await dirtyUnratedStorage(tx, [warehouseId, rate.effectiveFrom, rate.effectiveTo]);
      await this.jobs.add(tx, settleStorage, { warehouseId });
    } else {
      await this.jobs.add(tx, priceMovements, { warehouseId });
    }
  }

  private async refuseOverlap(
    tx: EntityManager,
    warehouseId: string,
    rate: Terms,
    except: string | null,
  ): Promise<void> {
    const [other] = await overlapsOf(tx, warehouseId, rate, except);
    if (other) throw new RateOverlap(other);
  }

  private async seen(on: Executor, by: Caller, id: string): Promise<RateRow> {
    const [rate] = await rateById(on, [id]);
    const sites = this.scope.sites(by, READ_RATES);
    if (!rate || (sites !== null && !sites.includes(rate.siteId))) throw new RateNotFound(id);
    return rate;
  }

  private async locked(tx: EntityManager, by: Caller, id: string, version?: number): Promise<RateRow> {
    const { warehouseId } = await this.seen(tx, by, id);
    await this.scope.changeable(tx, by, WRITE_RATES, warehouseId);
    await lockRates(tx, [warehouseId]);
    const rate = await this.seen(tx, by, id);
    if (version !== undefined && rate.rowVersion !== version) throw new PreconditionFailed(rate.rowVersion);
    return rate;
  }

  /** Whether a rate was charged by, the database decides last: a charge may be under way. */
  private async changing<Answer>(id: string, work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      if (!inUse.includes(databaseError(error)?.code ?? '')) throw error;
      const [rate] = await rateById(this.database.dataSource, [id]);
      throw new RateFrozen(id, rate?.lastChargedOn ?? null);
    }
  }
}

function overlapsOf(on: Executor, warehouseId: string, rate: Terms, except: string | null): Promise<RateRow[]> {
  return overlappingRates(on, [warehouseId, rate.name, rate.basis, rate.effectiveFrom, rate.effectiveTo, except]);
}

async function reread(tx: EntityManager, id: string): Promise<RateRow> {
  const [rate] = await rateById(tx, [id]);
  if (!rate) throw new RateNotFound(id);
  return rate;
}

async function save(
  tx: EntityManager,
  rate: Omit<RateRow, 'params'> & { params: object },
  successor: string | null,
): Promise<void> {
  await updateRate(tx, [
    rate.id,
    rate.category,
    rate.name,
    rate.basis,
    exact(rate.value, rate.currency),
    rate.unitLabel,
    JSON.stringify(rate.params),
    rate.effectiveFrom,
    rate.effectiveTo,
    rate.notes,
    successor,
  ]);
}

function refuseFaults(rate: Parameters<typeof faultsOf>[0]): void {
  const faults = faultsOf(rate);
  if (faults.length === 0) return;
  throw new InvalidRequest(faults.map(({ path, detail }) => ({ pointer: `#/${path.join('/')}`, detail })));
}

function exact(value: string, currency: string): string {
  try {
    return Rate.parse(value, currency).toString();
  } catch (error) {
    throw error instanceof NotExact ? invalid('value', error.message) : error;
  }
}

function invalid(field: string, detail: string): InvalidRequest {
  return new InvalidRequest([{ pointer: `#/${field}`, detail }]);
}

function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}

function view(rate: RateRow): RateView {
  return {
    id: rate.id,
    warehouse: rate.warehouse,
    category: rate.category,
    name: rate.name,
    basis: rate.basis,
    value: Rate.parse(rate.value, rate.currency).toString(),
    currency: rate.currency,
    unitLabel: rate.unitLabel,
    params: rate.params,
    effectiveFrom: rate.effectiveFrom,
    effectiveTo: rate.effectiveTo,
    supersededBy: rate.supersededBy,
    lastChargedOn: rate.lastChargedOn,
    notes: rate.notes,
    rowVersion: rate.rowVersion,
  };
}
