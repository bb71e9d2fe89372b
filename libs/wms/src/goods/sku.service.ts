import { randomUUIDv7 } from 'node:crypto';
import {
  containing,
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  PermissionMissing,
  PreconditionFailed,
  violates,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { MasterCodeTaken, StillInStock } from '../warehouses/warehouse.problems.js';
import { idsAndCodes } from '../wms.contract.js';
import { LotTrackingFrozen, SkuNotFound } from './goods.problems.js';
import type { KnownSku } from './line.queries.js';
import { SYSTEM_LOT } from './lot.contract.js';
import { Lot } from './lot.entity.js';
import type { ChangeSku, DraftSku, SkuFilter, SkuView } from './sku.contract.js';
import { Sku } from './sku.entity.js';
import { isBegun, keepSystemLot, sitesHolding, skuGiven, skuList } from './sku.queries.js';

const WRITE = 'wms.master:write';
const listKey = z.tuple([z.string(), z.uuid()]);

/**
 * Goods belong to no site: whoever reads master data anywhere sees them, and whoever writes it anywhere adds to them. What
 * stands at a site is changed only by who may write there.
 */
@Injectable()
export class SkuService {
  constructor(private readonly database: Database) {}

  async list(filter: SkuFilter): Promise<List<SkuView>> {
    const after = decodeCursor(filter.cursor, listKey) ?? [null, null];
    const rows = await skuList(this.database.dataSource, [
      containing(filter.search),
      filter.lotTracked ?? null,
      filter.expiryTracked ?? null,
      filter.active ?? null,
      ...after,
      filter.limit + 1,
    ]);
    return listFrom(rows, filter.limit, (row) => [row.sortCode, row.id], view);
  }

  async get(idOrCode: string): Promise<SkuView> {
    const { id } = await this.known(this.database.dataSource, idOrCode);
    return view(await this.database.manager.findOneByOrFail(Sku, { id }));
  }

  /** The SKU of that id or code. */
  async known(on: Executor, idOrCode: string): Promise<KnownSku> {
    const [[id], [code]] = idsAndCodes([idOrCode]);
    const [sku] = await skuGiven(on, [id, code]);
    if (!sku) throw new SkuNotFound(idOrCode);
    return sku;
  }

  /** Throws when the SKU, or its lot when one is named, stands where the caller may not write; answers how many units do. */
  async refuseForeign(tx: EntityManager, by: Caller, skuId: string, lotId: string | null): Promise<bigint> {
    const holding = await sitesHolding(tx, [skuId, lotId]);
    if (holding.some(({ siteId }) => !by.may(WRITE, siteId))) throw new PermissionMissing(WRITE);
    return holding.reduce((sum, { units }) => sum + BigInt(units), 0n);
  }

  async draft(by: Caller, draft: DraftSku): Promise<SkuView> {
    return this.named(draft.code, () => this.database.transaction(by, (tx) => this.add(tx, by, draft)));
  }

  /** As `draft`, in somebody's transaction: a code that is taken breaks it, as the constraint `sku_code_is_unique`. */
  async add(tx: EntityManager, by: Caller, draft: DraftSku): Promise<SkuView> {
    const id = randomUUIDv7();
    const sku = Object.assign(new Sku(), stored(draft), { id, createdBy: by.accountId });
    if (sku.expiryTracked) sku.pickStrategy = 'fefo';
    await tx.insert(Sku, sku);
    return this.kept(tx, by, id);
  }

  async change(by: Caller, idOrCode: string, version: number, change: ChangeSku): Promise<SkuView> {
    return this.named(change.code ?? '', () =>
      this.database.transaction(by, async (tx) => {
        const { id } = await this.known(tx, idOrCode);
        const sku = await tx.findOneOrFail(Sku, { where: { id }, lock: { mode: 'pessimistic_write' } });
        const units = await this.refuseForeign(tx, by, id, null);
        if (sku.rowVersion !== version) throw new PreconditionFailed(sku.rowVersion);
        if (change.isActive === false && units > 0n) throw new StillInStock('sku', sku.code, units.toString());
        if (change.lotTracked !== undefined && change.lotTracked !== sku.lotTracked) await refuseOnceBegun(tx, sku);
        Object.assign(sku, stored(change));
        if (sku.expiryTracked) sku.pickStrategy = 'fefo';
        if (sku.expiryTracked && !sku.lotTracked) throw expiryNeedsLots();
        await tx.save(sku);
        return this.kept(tx, by, id);
      }),
    );
  }

  private async kept(tx: EntityManager, by: Caller, id: string): Promise<SkuView> {
    // Waits for its first receipt, if that is under way: from then on its cartons are fixed.
    await tx.find(Lot, { where: { skuId: id, code: SYSTEM_LOT }, lock: { mode: 'pessimistic_write' } });
    await keepSystemLot(tx, [randomUUIDv7(), id, by.accountId]);
    return view(await tx.findOneByOrFail(Sku, { id }));
  }

  private async named<Result>(code: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw violates(error, 'sku_code_is_unique') ? new MasterCodeTaken('sku', code) : error;
    }
  }
}

async function refuseOnceBegun(on: Executor, { id, code }: Sku): Promise<void> {
  const [answer] = await isBegun(on, [id]);
  if (answer?.begun === true) throw new LotTrackingFrozen(code);
}

function expiryNeedsLots(): InvalidRequest {
  return new InvalidRequest([{ pointer: '#/expiryTracked', detail: 'needs lots: only they expire' }]);
}

/** What the database keeps as bigint travels as text. */
function stored<Details extends Pick<ChangeSku, 'reorderPoint' | 'safetyStock'>>(details: Details) {
  const { reorderPoint, safetyStock, ...rest } = details;
  return {
    ...rest,
    ...(reorderPoint !== undefined && { reorderPoint: reorderPoint?.toString() ?? null }),
    ...(safetyStock !== undefined && { safetyStock: safetyStock?.toString() ?? null }),
  };
}

function view(sku: Sku): SkuView {
  return {
    id: sku.id,
    code: sku.code,
    description: sku.description,
    asin: sku.asin,
    gtin: sku.gtin,
    packSize: sku.packSize,
    lotTracked: sku.lotTracked,
    expiryTracked: sku.expiryTracked,
    pickStrategy: sku.pickStrategy,
    minShelfLifeDays: sku.minShelfLifeDays,
    reorderPoint: sku.reorderPoint === null ? null : Number(sku.reorderPoint),
    safetyStock: sku.safetyStock === null ? null : Number(sku.safetyStock),
    unitWeightG: sku.unitWeightG,
    unitLengthMm: sku.unitLengthMm,
    unitWidthMm: sku.unitWidthMm,
    unitHeightMm: sku.unitHeightMm,
    defaultUnitsPerCarton: sku.defaultUnitsPerCarton,
    defaultCartonLengthMm: sku.defaultCartonLengthMm,
    defaultCartonWidthMm: sku.defaultCartonWidthMm,
    defaultCartonHeightMm: sku.defaultCartonHeightMm,
    defaultCartonWeightG: sku.defaultCartonWeightG,
    material: sku.material,
    packagingType: sku.packagingType,
    notes: sku.notes,
    isActive: sku.isActive,
    createdAt: sku.createdAt.toISOString(),
    rowVersion: sku.rowVersion,
  };
}
