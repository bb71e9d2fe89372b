import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, InvalidRequest, listFrom, type Caller, type List } from '@belay/platform';
import { z } from 'zod';
import { Money, Qty, Rate } from '../money.rules.js';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import { idsAndCodes } from '../wms.contract.js';
import type { ChargeFilter, ChargeView, DraftCharge } from './charge.contract.js';
import { RateMissing } from './charge.problems.js';
import { writeCharges, type ChargeRow } from './charge.queries.js';
import { chargeByKey, chargeList, handRate, type ChargeListRow, type HandRate } from './manual-charge.queries.js';

const READ = 'wms.cost:read';
const WRITE = 'wms.cost:write';
const listKey = z.tuple([z.string()]);

/** What was charged, and what people charge by hand. */
@Injectable()
export class ChargeService {
  constructor(
    private readonly database: Database,
    private readonly scope: WarehouseScope,
  ) {}

  async list(
    by: Caller,
    { warehouse, period, category, state, movementId, cursor, limit }: ChargeFilter,
  ): Promise<List<ChargeView>> {
    const on = this.database.dataSource;
    const place = warehouse === undefined ? null : (await this.scope.seen(on, by, READ, warehouse)).id;
    const [after] = decodeCursor(cursor, listKey) ?? [null];
    const rows = await chargeList(on, [
      this.scope.sites(by, READ),
      place,
      period ?? null,
      category ?? null,
      state ?? null,
      movementId ?? null,
      after,
      limit + 1,
    ]);
    return listFrom(rows, limit, (row) => [row.id], view);
  }

  /** In the period of its day, or in the first open one when that is closed. */
  draft(by: Caller, draft: DraftCharge): Promise<ChargeView> {
    return this.database.transaction(by, async (tx) => {
      const warehouse = await this.scope.changeable(tx, by, WRITE, draft.warehouse);
      const [[skuId], [skuCode]] = idsAndCodes([draft.sku]);
      const dedupeKey = `manual:${randomUUIDv7()}`;
      for (;;) {
        const [facts] = await handRate(tx, [warehouse.id, draft.chargeOn, draft.name, skuId, skuCode]);
        const row = rowOf(draft, warehouse.currency, dedupeKey, facts);
        const used = row.rateId === null ? [] : [row.rateId];
        const versions = row.rateId === null ? [] : [facts?.version];
        const [written] = await writeCharges(tx, [warehouse.id, by.accountId, JSON.stringify([row]), used, versions]);
        if (written?.held !== used.length) continue;
        const [charge] = await chargeByKey(tx, [dedupeKey]);
        if (!charge) throw new Error('A charge that was written is there');
        return view(charge);
      }
    });
  }
}

function rowOf(draft: DraftCharge, currency: string, dedupeKey: string, facts: HandRate | undefined): ChargeRow {
  if (facts?.isFuture === true) throw invalid('chargeOn', 'must not be in the future');
  if (draft.sku !== undefined && facts?.skuId == null) throw invalid('sku', 'is not known');
  const byHand = draft.rate === undefined ? facts : undefined;
  const value = draft.rate ?? byHand?.value;
  if (value == null) {
    throw new RateMissing(draft.chargeOn, [{ category: draft.category, name: draft.name }]);
  }
  const rate = Rate.parse(value, currency);
  const quantity = Qty.parse(draft.quantity);
  return {
    movementId: null,
    skuId: facts?.skuId ?? null,
    lotId: null,
    category: byHand?.category ?? draft.category,
    name: byHand?.name ?? draft.name,
    rateId: byHand?.rateId ?? null,
    quantity: quantity.toString(),
    rate: rate.toString(),
    amount: rate.times(quantity).toString(),
    currency,
    chargeOn: draft.chargeOn,
    adjusts: null,
    dedupeKey,
    unratedKey: dedupeKey,
    note: draft.reason,
  };
}

function invalid(field: string, detail: string): InvalidRequest {
  return new InvalidRequest([{ pointer: `#/${field}`, detail }]);
}

function view(row: ChargeListRow): ChargeView {
  const { currency } = row;
  return {
    ...row,
    quantity: Qty.parse(row.quantity).toString(),
    rate: row.rate === null ? null : Rate.parse(row.rate, currency).toString(),
    amount: row.amount === null ? null : Money.parse(row.amount, currency).toString(),
    createdAt: row.createdAt.toISOString(),
  };
}
