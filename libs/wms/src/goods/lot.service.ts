import { randomUUIDv7 } from 'node:crypto';
import {
  containing,
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  Outbox,
  PreconditionFailed,
  violates,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { LotBlocked } from '../reservations/lot-blocked.service.js';
import { InactiveMasterData, MasterCodeTaken } from '../warehouses/warehouse.problems.js';
import type { LotStatusChanged } from '../wms.events.js';
import { LotNotFound, UnitsPerCartonFrozen } from './goods.problems.js';
import type { KnownSku } from './line.queries.js';
import {
  datesNotInOrder,
  SYSTEM_LOT,
  type ChangeLot,
  type DraftLot,
  type LotFields,
  type LotFilter,
  type LotView,
} from './lot.contract.js';
import { Lot } from './lot.entity.js';
import { lotById, lotList, type ShownLot } from './lot.queries.js';
import { datesAreInOrder } from './lot.rules.js';
import { Sku } from './sku.entity.js';
import { SkuService } from './sku.service.js';

const listKey = z.tuple([z.string(), z.string(), z.uuid()]);

@Injectable()
export class LotService {
  constructor(
    private readonly blocked: LotBlocked,
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly skus: SkuService,
  ) {}

  async list(filter: LotFilter): Promise<List<LotView>> {
    const on = this.database.dataSource;
    const sku = filter.sku === undefined ? null : await this.skus.known(on, filter.sku);
    const after = decodeCursor(filter.cursor, listKey) ?? [null, null, null];
    const rows = await lotList(on, [
      sku?.id ?? null,
      filter.status ?? null,
      filter.expiresBefore ?? null,
      containing(filter.search),
      ...after,
      filter.limit + 1,
    ]);
    return listFrom(rows, filter.limit, (row) => [row.sortSku, row.sortCode, row.id], view);
  }

  async get(id: string): Promise<LotView> {
    return shown(this.database.dataSource, id);
  }

  async draft(by: Caller, { sku: given, status, ...fields }: DraftLot): Promise<LotView> {
    try {
      return await this.database.transaction(by, async (tx) => {
        const sku = await this.skus.known(tx, given);
        const { id } = await this.add(tx, by, sku, { ...fields, status });
        return shown(tx, id);
      });
    } catch (error) {
      throw violates(error, 'lot_code_is_unique') ? new MasterCodeTaken('lot', fields.code) : error;
    }
  }

  /**
   * A new lot, if the SKU has lots and is in use. A code that is taken fails as the constraint `lot_code_is_unique`, after
   * which the transaction can do nothing more.
   */
  async add(tx: EntityManager, by: Caller, { id: skuId }: KnownSku, fields: LotFields): Promise<Lot> {
    const id = randomUUIDv7();
    // Held, so that the SKU does not lose its lots or go out of use meanwhile.
    const sku = await tx.findOneOrFail(Sku, { where: { id: skuId }, lock: { mode: 'for_key_share' } });
    if (!sku.isActive) throw new InactiveMasterData('sku', sku.code);
    if (!sku.lotTracked) throw new InvalidRequest([{ pointer: '#/sku', detail: 'has no lots' }]);
    const lot = Object.assign(new Lot(), cartonOf(sku), fields, { id, skuId, createdBy: by.accountId });
    await tx.insert(Lot, lot);
    return tx.findOneByOrFail(Lot, { id });
  }

  /** What was promised of a lot that is blocked now is looked for in other lots. */
  async change(by: Caller, id: string, version: number, change: ChangeLot): Promise<LotView> {
    return this.database.transaction(by, async (tx) => {
      const lot = await this.locked(tx, by, id, version);
      if (lot.code === SYSTEM_LOT && change.code !== undefined) throw systemLotIsNamed();
      const { code, unitsPerCarton, status } = lot;
      Object.assign(lot, change);
      if (!datesAreInOrder(lot)) throw new InvalidRequest([datesRefused]);
      try {
        await tx.save(lot);
      } catch (error) {
        if (violates(error, 'lot_code_is_unique')) throw new MasterCodeTaken('lot', lot.code);
        if (violates(error, 'units_per_carton_is_frozen')) throw new UnitsPerCartonFrozen(code, unitsPerCarton);
        throw error;
      }
      if (lot.status !== status) await this.announce(tx, lot, status);
      if (lot.status !== status && lot.status !== 'available') await this.blocked.release(tx, by, id);
      return shown(tx, id);
    });
  }

  private async locked(tx: EntityManager, by: Caller, id: string, version: number): Promise<Lot> {
    const lot = await tx.findOne(Lot, { where: { id }, lock: { mode: 'for_no_key_update' } });
    if (!lot) throw new LotNotFound(id);
    await this.skus.refuseForeign(tx, by, lot.skuId, id);
    if (lot.rowVersion !== version) throw new PreconditionFailed(lot.rowVersion);
    return lot;
  }

  private async announce(tx: EntityManager, { id, skuId, status }: Lot, from: Lot['status']): Promise<void> {
    const body = { lotId: id, skuId, from, to: status };
    const changed: LotStatusChanged = { name: 'wms.lot.status-changed', body };
    await this.outbox.add(tx, changed, 'wms');
  }
}

/** How a new lot is packed, unless it is said otherwise. */
function cartonOf(sku: Sku) {
  return {
    unitsPerCarton: sku.defaultUnitsPerCarton,
    cartonLengthMm: sku.defaultCartonLengthMm,
    cartonWidthMm: sku.defaultCartonWidthMm,
    cartonHeightMm: sku.defaultCartonHeightMm,
    cartonWeightG: sku.defaultCartonWeightG,
  };
}

const datesRefused = { pointer: '#/expiresOn', detail: datesNotInOrder.error };

function systemLotIsNamed(): InvalidRequest {
  return new InvalidRequest([{ pointer: '#/code', detail: 'is fixed: the SKU has no other lot' }]);
}

async function shown(on: Executor, id: string): Promise<LotView> {
  const [lot] = await lotById(on, [id]);
  if (!lot) throw new LotNotFound(id);
  return view(lot);
}

function view(lot: ShownLot): LotView {
  return {
    id: lot.id,
    skuId: lot.skuId,
    sku: lot.sku,
    code: lot.code,
    unitsPerCarton: lot.unitsPerCarton,
    cartonLengthMm: lot.cartonLengthMm,
    cartonWidthMm: lot.cartonWidthMm,
    cartonHeightMm: lot.cartonHeightMm,
    cartonWeightG: lot.cartonWeightG,
    storageCartonsPerPallet: lot.storageCartonsPerPallet,
    shippingCartonsPerPallet: lot.shippingCartonsPerPallet,
    manufacturedOn: lot.manufacturedOn,
    bestBeforeOn: lot.bestBeforeOn,
    expiresOn: lot.expiresOn,
    status: lot.status,
    createdAt: lot.createdAt.toISOString(),
    rowVersion: lot.rowVersion,
  };
}
