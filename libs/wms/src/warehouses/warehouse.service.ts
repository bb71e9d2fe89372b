import { randomUUIDv7 } from 'node:crypto';
import { DirectoryReader } from '@belay/directory';
import {
  CONFIG,
  containing,
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  Outbox,
  PermissionMissing,
  PreconditionFailed,
  violates,
  type Caller,
  type Config,
  type Executor,
  type List,
} from '@belay/platform';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { writeStockClose } from '../stock.queries.js';
import type { WarehouseChanged } from '../wms.events.js';
import { Location } from './location.entity.js';
import { WarehouseScope } from './warehouse-scope.service.js';
import type { ChangeWarehouse, DraftWarehouse, WarehouseFilter, WarehouseView } from './warehouse.contract.js';
import { Warehouse } from './warehouse.entity.js';
import { BillingTermsFrozen, InactiveMasterData, MasterCodeTaken, StillInStock } from './warehouse.problems.js';
import {
  dropStockCloses,
  hasCosts,
  isTimezone,
  markStorageDirty,
  unitsHeld,
  warehouseList,
} from './warehouse.queries.js';

const READ = 'wms.master:read';
const WRITE = 'wms.master:write';
const listKey = z.tuple([z.string(), z.uuid()]);
const billingTerms = ['currency', 'billingCycleStartDay', 'storageSnapshotIsodow'] as const;

@Injectable()
export class WarehouseService {
  constructor(
    private readonly database: Database,
    private readonly directory: DirectoryReader,
    private readonly outbox: Outbox,
    private readonly scope: WarehouseScope,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async list(by: Caller, filter: WarehouseFilter): Promise<List<WarehouseView>> {
    const after = decodeCursor(filter.cursor, listKey) ?? [null, null];
    const rows = await warehouseList(this.database.dataSource, [
      this.scope.sites(by, READ),
      containing(filter.search),
      filter.site ?? null,
      filter.kind ?? null,
      filter.active ?? null,
      ...after,
      filter.limit + 1,
    ]);
    return listFrom(rows, filter.limit, (row) => [row.sortCode, row.id], view);
  }

  async get(by: Caller, idOrCode: string): Promise<WarehouseView> {
    const { id } = await this.scope.seen(this.database.dataSource, by, READ, idOrCode);
    return view(await this.database.manager.findOneByOrFail(Warehouse, { id }));
  }

  /** It begins with one location, DEFAULT, where everything is that has no other place. */
  async draft(by: Caller, { siteId, lat, lon, ...draft }: DraftWarehouse): Promise<WarehouseView> {
    const siteTimezone = await this.siteTimezone(by, siteId);
    const { WMS_BILLING_CYCLE_START, WMS_DEFAULT_TIMEZONE, WMS_STORAGE_CALCULATION_DAY } = this.config;
    const facts = {
      ...draft,
      id: randomUUIDv7(),
      siteId,
      ...position({ lat, lon }),
      timezone: draft.timezone ?? WMS_DEFAULT_TIMEZONE ?? siteTimezone,
      billingCycleStartDay: draft.billingCycleStartDay ?? WMS_BILLING_CYCLE_START,
      storageSnapshotIsodow: draft.storageSnapshotIsodow ?? WMS_STORAGE_CALCULATION_DAY,
      createdBy: by.accountId,
    };
    try {
      return await this.database.transaction(by, async (tx) => {
        await refuseUnknownTimezone(tx, facts.timezone);
        await tx.insert(Warehouse, facts);
        await tx.insert(Location, {
          id: randomUUIDv7(),
          warehouseId: facts.id,
          code: 'DEFAULT',
          type: 'zone',
          createdBy: by.accountId,
        });
        return this.announced(tx, facts.id);
      });
    } catch (error) {
      throw violates(error, 'warehouse_code_is_unique') ? new MasterCodeTaken('warehouse', draft.code) : error;
    }
  }

  /** A changed zone moves every day's end: closing stock, and all storage after the last close, is worked out anew. */
  async change(by: Caller, idOrCode: string, version: number, change: ChangeWarehouse): Promise<WarehouseView> {
    const { lat, lon, ...details } = change;
    if (details.siteId !== undefined) await this.siteTimezone(by, details.siteId);
    return this.database.transaction(by, async (tx) => {
      const { id } = await this.scope.changeable(tx, by, WRITE, idOrCode);
      // Waits for postings that are under way, and holds later ones until the change is in force.
      const warehouse = await tx.findOneOrFail(Warehouse, { where: { id }, lock: { mode: 'pessimistic_write' } });
      if (warehouse.rowVersion !== version) throw new PreconditionFailed(warehouse.rowVersion);
      const moved = details.timezone !== undefined && details.timezone !== warehouse.timezone;
      if (moved) await refuseUnknownTimezone(tx, details.timezone);
      if (details.isActive === false) await refuseWhileInStock(tx, warehouse);
      await refuseOtherTerms(tx, warehouse, details);
      await tx.save(Object.assign(warehouse, details, position({ lat, lon })));
      if (moved) await moveDays(tx, id);
      return this.announced(tx, id);
    });
  }

  /** The zone of a site at which the caller may have a warehouse. */
  private async siteTimezone(by: Caller, siteId: string): Promise<string> {
    if (!by.may(WRITE, siteId)) throw new PermissionMissing(WRITE);
    const site = (await this.directory.sites([siteId])).get(siteId);
    if (!site) throw new InvalidRequest([{ pointer: '#/siteId', detail: 'is no site' }]);
    if (!site.active) throw new InactiveMasterData('site', site.code);
    return site.timeZone;
  }

  private async announced(tx: EntityManager, id: string): Promise<WarehouseView> {
    const warehouse = await tx.findOneByOrFail(Warehouse, { id });
    const { siteId, code, timezone, isActive } = warehouse;
    const body = { warehouseId: id, siteId, code, timezone, isActive };
    const changed: WarehouseChanged = { name: 'wms.warehouse.changed', body };
    await this.outbox.add(tx, changed, 'wms');
    return view(warehouse);
  }
}

async function refuseUnknownTimezone(on: Executor, timezone: string | undefined): Promise<void> {
  const [zone] = await isTimezone(on, [timezone]);
  if (zone?.known === true) return;
  throw new InvalidRequest([{ pointer: '#/timezone', detail: 'is no IANA time zone such as Europe/London' }]);
}

async function moveDays(tx: EntityManager, id: string): Promise<void> {
  // Stock of later days begins at a close: what was posted between its old end and its new one would count twice or never.
  for (const { closedOn } of await dropStockCloses(tx, [id])) await writeStockClose(tx, [id, closedOn]);
  await markStorageDirty(tx, [id, '-infinity', null, null]);
}

async function refuseWhileInStock(on: Executor, { id, code }: Warehouse): Promise<void> {
  const [held] = await unitsHeld(on, [id, null]);
  if (held && held.units !== '0') throw new StillInStock('warehouse', code, held.units);
}

async function refuseOtherTerms(on: Executor, warehouse: Warehouse, change: ChangeWarehouse): Promise<void> {
  const other = billingTerms.filter((term) => change[term] !== undefined && change[term] !== warehouse[term]);
  if (other.length === 0) return;
  const [costs] = await hasCosts(on, [warehouse.id]);
  if (costs?.found === true) throw new BillingTermsFrozen(other);
}

/** Where it is as the database's decimals; what was not given stays away. */
function position(given: { lat?: number | null | undefined; lon?: number | null | undefined }) {
  const { lat, lon } = given;
  return {
    ...(lat !== undefined && { lat: lat === null ? null : lat.toFixed(6) }),
    ...(lon !== undefined && { lon: lon === null ? null : lon.toFixed(6) }),
  };
}

function view(warehouse: Warehouse): WarehouseView {
  return {
    id: warehouse.id,
    code: warehouse.code,
    siteId: warehouse.siteId,
    name: warehouse.name,
    kind: warehouse.kind,
    address: warehouse.address,
    lat: warehouse.lat === null ? null : Number(warehouse.lat),
    lon: warehouse.lon === null ? null : Number(warehouse.lon),
    contactEmail: warehouse.contactEmail,
    contactPhone: warehouse.contactPhone,
    timezone: warehouse.timezone,
    currency: warehouse.currency,
    billingCycleStartDay: warehouse.billingCycleStartDay,
    storageSnapshotIsodow: warehouse.storageSnapshotIsodow,
    blockOnMissingRate: warehouse.blockOnMissingRate,
    reconAbsTolerance: warehouse.reconAbsTolerance,
    reconPctTolerance: warehouse.reconPctTolerance,
    closedThrough: warehouse.closedThrough,
    isActive: warehouse.isActive,
    createdAt: warehouse.createdAt.toISOString(),
    rowVersion: warehouse.rowVersion,
  };
}
