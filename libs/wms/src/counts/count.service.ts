import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  PermissionMissing,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { linesGiven } from '../goods/line.queries.js';
import { LineLookup } from '../movements/lookup.service.js';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { idsAndCodes } from '../wms.contract.js';
import { MOST_LINES } from './count.contract.js';
import type { CountedLines, CountFilter, CountSummary, CountView, DraftCount } from './count.contract.js';
import { CountNotFound, CountNotOpen } from './count.problems.js';
import {
  cancelCount,
  countById,
  countLines,
  countList,
  insertCount,
  lockCount,
  openLines,
  recordCounted,
  type CountLineRow,
  type CountRow,
} from './count.queries.js';

const READ = 'wms.inventory:read';
const WRITE = 'wms.count:write';
const listKey = z.tuple([z.uuid()]);

export interface OpenCount {
  readonly id: string;
  readonly warehouseId: string;
  readonly createdBy: string;
}

/** Counts until they are posted: what is expected where, and what people found. */
@Injectable()
export class CountService {
  constructor(
    private readonly database: Database,
    private readonly lookup: LineLookup,
    private readonly scope: WarehouseScope,
  ) {}

  async list(by: Caller, { warehouse, status, cursor, limit }: CountFilter): Promise<List<CountSummary>> {
    const on = this.database.dataSource;
    const [after = null] = decodeCursor(cursor, listKey) ?? [];
    const place = warehouse === undefined ? undefined : await this.scope.seen(on, by, READ, warehouse);
    const values = [this.scope.sites(by, READ), place?.id ?? null, status ?? null, after, limit + 1];
    return listFrom(await countList(on, values), limit, ({ id }) => [id], summary);
  }

  get(by: Caller, id: string): Promise<CountView> {
    return this.seen(this.database.dataSource, by, id);
  }

  /** Opens a count with a line for everything that is there; each line keeps what was expected at that moment. */
  start(by: Caller, draft: DraftCount): Promise<CountView> {
    return this.database.transaction(by, async (tx) => {
      const warehouse = await this.scope.writable(tx, by, WRITE, draft.warehouse);
      const { locations, skus } = await placesAndGoods(tx, warehouse, draft);
      const id = randomUUIDv7();
      await insertCount(tx, [id, warehouse.id, draft.note ?? null, by.accountId]);
      const [lines] = await openLines(tx, [id, warehouse.id, locations, skus, MOST_LINES + 1]);
      if ((lines?.opened ?? 0) > MOST_LINES) throw tooMany('#/locations');
      return this.seen(tx, by, id);
    });
  }

  /** Writes down what was found, again for lines that were counted already. */
  count(by: Caller, id: string, { lines }: CountedLines): Promise<CountView> {
    return this.database.transaction(by, async (tx) => {
      const { warehouseId } = await this.open(tx, by, WRITE, id);
      const where = { warehouse: warehouseId, permission: WRITE };
      const asked = lines.map(({ sku, lot, location, stockStatus }, of) => ({ sku, lot, location, stockStatus, of }));
      const found = await this.lookup.find(tx, by, where, { asked, question: { kind: 'COUNT' } });
      const counted = found.lines.map(({ location, sku, lot, asked: { stockStatus }, index }) => {
        const { cartons = 0, looseUnits = 0, note = null } = lines[index] ?? {};
        return {
          locationId: location.id,
          skuId: sku.id,
          lotId: lot.id ?? '',
          stockStatus,
          units: BigInt(cartons) * BigInt(lot.unitsPerCarton) + BigInt(looseUnits),
          note,
        };
      });
      refuseRepeated(counted);
      const [recorded] = await recordCounted(tx, [
        id,
        by.accountId,
        counted.map(({ locationId }) => locationId),
        counted.map(({ skuId }) => skuId),
        counted.map(({ lotId }) => lotId),
        counted.map(({ stockStatus }) => stockStatus),
        counted.map(({ units }) => units),
        counted.map(({ note }) => note),
      ]);
      if ((recorded?.lines ?? 0) > MOST_LINES) throw tooMany('#/lines');
      return this.seen(tx, by, id);
    });
  }

  /** Ends a count that is not to be posted. */
  cancel(by: Caller, id: string): Promise<CountView> {
    return this.database.transaction(by, async (tx) => {
      await this.open(tx, by, WRITE, id);
      await cancelCount(tx, [id]);
      return this.seen(tx, by, id);
    });
  }

  /** Locks a count that is still open, for who holds the permission where it is. */
  async open(tx: EntityManager, by: Caller, permission: string, id: string): Promise<OpenCount> {
    const [count] = await lockCount(tx, [id]);
    if (!count || ![READ, permission].some((one) => by.may(one, count.siteId))) throw new CountNotFound(id);
    if (!by.may(permission, count.siteId)) throw new PermissionMissing(permission);
    if (count.status === 'posted' || count.status === 'cancelled') throw new CountNotOpen(id, count.status);
    return count;
  }

  /** As `get`, within a transaction. */
  async seen(on: Executor, by: Caller, id: string): Promise<CountView> {
    const [count] = await countById(on, [id, this.scope.sites(by, READ)]);
    if (!count) throw new CountNotFound(id);
    const lines = await countLines(on, [id]);
    return { ...summary(count), lines: lines.map(lineView) };
  }
}

/** The ids of what a count is narrowed to; null where it is not. */
async function placesAndGoods(
  tx: EntityManager,
  warehouse: KnownWarehouse,
  { locations = [], skus = [] }: DraftCount,
): Promise<{ locations: string[] | null; skus: string[] | null }> {
  if (locations.length + skus.length === 0) return { locations: null, skus: null };
  const places = Array.from({ length: Math.max(locations.length, skus.length) }, (_, index) => index);
  const found = await linesGiven(tx, [
    warehouse.id,
    ...idsAndCodes(places.map((index) => skus[index])),
    ...idsAndCodes(places.map(() => null)),
    ...idsAndCodes(places.map((index) => locations[index])),
    false,
  ]);
  const errors = [
    ...locations.flatMap((_, index) =>
      found[index]?.location ? [] : [{ pointer: `#/locations/${index}`, detail: 'is no location of the warehouse' }],
    ),
    ...skus.flatMap((_, index) => (found[index]?.sku ? [] : [{ pointer: `#/skus/${index}`, detail: 'is no SKU' }])),
  ];
  if (errors.length > 0) throw new InvalidRequest(errors);
  return {
    locations: locations.length === 0 ? null : locations.flatMap((_, index) => found[index]?.location?.id ?? []),
    skus: skus.length === 0 ? null : skus.flatMap((_, index) => found[index]?.sku?.id ?? []),
  };
}

function refuseRepeated(
  lines: readonly { readonly locationId: string; readonly lotId: string; readonly stockStatus: string }[],
): void {
  const first = new Map<string, number>();
  const errors = lines.flatMap(({ locationId, lotId, stockStatus }, index) => {
    const bucket = JSON.stringify([locationId, lotId, stockStatus]);
    const before = first.get(bucket);
    if (before !== undefined)
      return [{ pointer: `#/lines/${index}`, detail: `is in the same bucket as line ${before + 1}` }];
    first.set(bucket, index);
    return [];
  });
  if (errors.length > 0) throw new InvalidRequest(errors);
}

function tooMany(pointer: string): InvalidRequest {
  const detail = `makes more than ${MOST_LINES} lines; count fewer locations or SKUs at a time`;
  return new InvalidRequest([{ pointer, detail }]);
}

function summary(row: CountRow): CountSummary {
  return {
    ...row,
    countedAt: row.countedAt?.toISOString() ?? null,
    postedAt: row.postedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}

function lineView({ onHand, deltaUnits, ...row }: CountLineRow): CountView['lines'][number] {
  const expected = BigInt(row.expectedUnits);
  const counted = row.countedUnits === null ? null : BigInt(row.countedUnits);
  const before = deltaUnits === null || counted === null ? BigInt(onHand) : counted - BigInt(deltaUnits);
  return {
    ...row,
    expectedUnits: Number(expected),
    movedUnits: Number(before - expected),
    countedUnits: counted === null ? null : Number(counted),
    differenceUnits: counted === null ? null : Number(counted - before),
    countedAt: row.countedAt?.toISOString() ?? null,
  };
}
