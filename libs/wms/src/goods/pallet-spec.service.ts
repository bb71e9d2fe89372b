import { randomUUIDv7 } from 'node:crypto';
import {
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  PreconditionFailed,
  violates,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import { InactiveMasterData, WarehouseNotFound } from '../warehouses/warehouse.problems.js';
import { markStorageDirty } from '../warehouses/warehouse.queries.js';
import { day } from '../wms.contract.js';
import { PalletSpecNotFound, PalletSpecOverlap } from './goods.problems.js';
import type { ChangePalletSpec, DraftPalletSpec, PalletSpecFilter, PalletSpecView } from './pallet-spec.contract.js';
import {
  addPalletSpec,
  changePalletSpecRow,
  lockPalletSpec,
  overlappingPalletSpecs,
  palletSpecById,
  palletSpecList,
} from './pallet-spec.queries.js';
import { SkuService } from './sku.service.js';

const READ = 'wms.master:read';
const WRITE = 'wms.master:write';
const listKey = z.tuple([z.string(), z.string(), day, z.uuid()]);

/** How many cartons go on a pallet where a lot does not say so itself. What it says of open periods is worked out anew. */
@Injectable()
export class PalletSpecService {
  constructor(
    private readonly database: Database,
    private readonly scope: WarehouseScope,
    private readonly skus: SkuService,
  ) {}

  async list(by: Caller, filter: PalletSpecFilter): Promise<List<PalletSpecView>> {
    const on = this.database.dataSource;
    const warehouse = filter.warehouse === undefined ? null : await this.scope.seen(on, by, READ, filter.warehouse);
    const sku = filter.sku === undefined ? null : await this.skus.known(on, filter.sku);
    const after = decodeCursor(filter.cursor, listKey) ?? [null, null, null, null];
    const values = [this.scope.sites(by, READ), warehouse?.id ?? null, sku?.id ?? null, filter.on ?? null];
    const rows = await palletSpecList(on, [...values, ...after, filter.limit + 1]);
    return listFrom(
      rows,
      filter.limit,
      (row) => [row.sortWarehouse, row.sortSku, row.sortFrom, row.id],
      (row) => row,
    );
  }

  async get(by: Caller, id: string): Promise<PalletSpecView> {
    const on = this.database.dataSource;
    const [spec] = await palletSpecById(on, [id]);
    if (!spec) throw new PalletSpecNotFound(id);
    await this.checked(id, () => this.scope.seen(on, by, READ, spec.warehouseId));
    return spec;
  }

  async draft(by: Caller, draft: DraftPalletSpec): Promise<PalletSpecView> {
    return this.database.transaction(by, (tx) => this.add(tx, by, draft));
  }

  /** As `draft`, in somebody's transaction. */
  async add(tx: EntityManager, by: Caller, draft: DraftPalletSpec): Promise<PalletSpecView> {
    const id = randomUUIDv7();
    const warehouse = await this.scope.writable(tx, by, WRITE, draft.warehouse);
    const sku = await this.skus.known(tx, draft.sku);
    if (!sku.isActive) throw new InactiveMasterData('sku', sku.code);
    const spec = { ...draft, id, warehouseId: warehouse.id, skuId: sku.id };
    await refuseOverlap(tx, spec);
    const { storageCartonsPerPallet, shippingCartonsPerPallet, maxStackHeightMm, effectiveFrom, effectiveTo } = spec;
    const cartons = [storageCartonsPerPallet, shippingCartonsPerPallet, maxStackHeightMm];
    const values = [id, warehouse.id, sku.id, ...cartons, effectiveFrom, effectiveTo, spec.notes, by.accountId];
    await written(() => addPalletSpec(tx, values), spec);
    await markStorageDirty(tx, [warehouse.id, effectiveFrom, sku.id, null]);
    return shown(tx, id);
  }

  async change(by: Caller, id: string, version: number, change: ChangePalletSpec): Promise<PalletSpecView> {
    return this.database.transaction(by, async (tx) => {
      const [before] = await lockPalletSpec(tx, [id]);
      if (!before) throw new PalletSpecNotFound(id);
      await this.checked(id, () => this.scope.changeable(tx, by, WRITE, before.warehouseId));
      if (before.rowVersion !== version) throw new PreconditionFailed(before.rowVersion);
      const spec = Object.assign({}, before, change);
      refuseBackwards(spec);
      await refuseOverlap(tx, spec);
      const { storageCartonsPerPallet, shippingCartonsPerPallet, maxStackHeightMm, effectiveFrom, effectiveTo } = spec;
      const cartons = [storageCartonsPerPallet, shippingCartonsPerPallet, maxStackHeightMm];
      await written(() => changePalletSpecRow(tx, [id, ...cartons, effectiveFrom, effectiveTo, spec.notes]), spec);
      const first = before.effectiveFrom < effectiveFrom ? before.effectiveFrom : effectiveFrom;
      await markStorageDirty(tx, [before.warehouseId, first, before.skuId, null]);
      return shown(tx, id);
    });
  }

  /** Whoever may not know of the warehouse does not learn from its specifications that it is there. */
  private async checked(id: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw error instanceof WarehouseNotFound ? new PalletSpecNotFound(id) : error;
    }
  }
}

type Spec = Pick<PalletSpecView, 'id' | 'warehouseId' | 'skuId' | 'effectiveFrom' | 'effectiveTo'>;

function refuseBackwards({ effectiveFrom, effectiveTo }: Spec): void {
  if (effectiveTo === null || effectiveFrom <= effectiveTo) return;
  throw new InvalidRequest([{ pointer: '#/effectiveTo', detail: 'must not be before effectiveFrom' }]);
}

/** Only to name the one that is in the way; the database sees to it that there is none. */
async function refuseOverlap(
  on: Executor,
  { warehouseId, skuId, effectiveFrom, effectiveTo, id }: Spec,
): Promise<void> {
  const [other] = await overlappingPalletSpecs(on, [warehouseId, skuId, effectiveFrom, effectiveTo, id]);
  if (other) throw new PalletSpecOverlap(other);
}

/** Somebody else may have been faster, with days of their own that nobody sees yet. */
async function written(work: () => Promise<unknown>, spec: Spec): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw violates(error, 'pallet_specs_do_not_overlap') ? new PalletSpecOverlap(spec) : error;
  }
}

async function shown(on: Executor, id: string): Promise<PalletSpecView> {
  const [spec] = await palletSpecById(on, [id]);
  if (!spec) throw new PalletSpecNotFound(id);
  return spec;
}
