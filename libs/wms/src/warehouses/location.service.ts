import { randomUUIDv7 } from 'node:crypto';
import {
  containing,
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
import { idsAndCodes } from '../wms.contract.js';
import type { ChangeLocation, DraftLocation, LocationFilter, LocationView } from './location.contract.js';
import { Location } from './location.entity.js';
import { DefaultLocationNeeded, LocationNotFound } from './location.problems.js';
import { locationList, parentGiven } from './location.queries.js';
import { canBePicked, isDefault } from './location.rules.js';
import { WarehouseScope } from './warehouse-scope.service.js';
import { Warehouse } from './warehouse.entity.js';
import { MasterCodeTaken, StillInStock, WarehouseNotFound } from './warehouse.problems.js';
import { markStorageDirty, unitsHeld } from './warehouse.queries.js';

const READ = 'wms.master:read';
const WRITE = 'wms.master:write';
const listKey = z.tuple([z.string(), z.string(), z.uuid()]);

@Injectable()
export class LocationService {
  constructor(
    private readonly database: Database,
    private readonly scope: WarehouseScope,
  ) {}

  async list(by: Caller, filter: LocationFilter): Promise<List<LocationView>> {
    const on = this.database.dataSource;
    const warehouse = filter.warehouse === undefined ? null : await this.scope.seen(on, by, READ, filter.warehouse);
    const after = decodeCursor(filter.cursor, listKey) ?? [null, null, null];
    const rows = await locationList(on, [
      this.scope.sites(by, READ),
      warehouse?.id ?? null,
      filter.parent ?? null,
      filter.type ?? null,
      containing(filter.search),
      filter.active ?? null,
      ...after,
      filter.limit + 1,
    ]);
    return listFrom(rows, filter.limit, (row) => [row.sortWarehouse, row.sortCode, row.id], view);
  }

  async get(by: Caller, id: string): Promise<LocationView> {
    const location = await this.database.manager.findOneBy(Location, { id });
    if (!location) throw new LocationNotFound(id);
    await this.checked(id, () => this.scope.seen(this.database.dataSource, by, READ, location.warehouseId));
    return view(location);
  }

  async draft(by: Caller, { warehouse: given, parent, capacityUnits, ...draft }: DraftLocation): Promise<LocationView> {
    const isPickable = draft.isPickable ?? canBePicked(draft.type);
    refuseUnpickable(draft.type, isPickable);
    return this.named(draft.code, () =>
      this.database.transaction(by, async (tx) => {
        const warehouse = await this.scope.writable(tx, by, WRITE, given);
        const id = randomUUIDv7();
        const parentId = await parentOf(tx, warehouse.id, parent, id);
        await tx.insert(Location, {
          ...draft,
          id,
          warehouseId: warehouse.id,
          parentId,
          isPickable,
          capacityUnits: capacityUnits?.toString() ?? null,
          createdBy: by.accountId,
        });
        return view(await tx.findOneByOrFail(Location, { id }));
      }),
    );
  }

  async change(by: Caller, id: string, version: number, change: ChangeLocation): Promise<LocationView> {
    const { parent, capacityUnits, ...details } = change;
    return this.named(details.code ?? '', () =>
      this.database.transaction(by, async (tx) => {
        const location = await this.locked(tx, by, id, version);
        refuseOnDefault(location, details);
        if (details.isActive === false) await refuseWhileInStock(tx, location);
        const billed = location.type !== 'virtual';
        Object.assign(location, details);
        // What can no longer be picked from is not, without being told so.
        if (details.isPickable === undefined && !canBePicked(location.type)) location.isPickable = false;
        refuseUnpickable(location.type, location.isPickable);
        if (parent !== undefined) location.parentId = await parentOf(tx, location.warehouseId, parent, id);
        if (capacityUnits !== undefined) location.capacityUnits = capacityUnits?.toString() ?? null;
        await tx.save(location);
        // What is in a virtual place is in nobody's storage.
        if (billed !== (location.type !== 'virtual')) {
          await markStorageDirty(tx, [location.warehouseId, '-infinity', null, id]);
        }
        return view(await tx.findOneByOrFail(Location, { id }));
      }),
    );
  }

  private async locked(tx: EntityManager, by: Caller, id: string, version: number): Promise<Location> {
    const found = await tx.findOneBy(Location, { id });
    if (!found) throw new LocationNotFound(id);
    await this.checked(id, () => this.scope.changeable(tx, by, WRITE, found.warehouseId));
    // One at a time in a warehouse: two moves at once could put two places inside each other.
    await tx.findOne(Warehouse, { where: { id: found.warehouseId }, lock: { mode: 'for_no_key_update' } });
    const location = await tx.findOneOrFail(Location, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (location.rowVersion !== version) throw new PreconditionFailed(location.rowVersion);
    return location;
  }

  /** Whoever may not know of the warehouse does not learn from its locations that it is there. */
  private async checked(id: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw error instanceof WarehouseNotFound ? new LocationNotFound(id) : error;
    }
  }

  private async named<Result>(code: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw violates(error, 'location_code_is_unique') ? new MasterCodeTaken('location', code) : error;
    }
  }
}

async function parentOf(on: Executor, warehouseId: string, parent: string | null, id: string): Promise<string | null> {
  if (parent === null) return null;
  const [[parentId], [code]] = idsAndCodes([parent]);
  const [found] = await parentGiven(on, [warehouseId, parentId, code, id]);
  const refuse = (detail: string) => new InvalidRequest([{ pointer: '#/parent', detail }]);
  if (!found) throw refuse('is no location of this warehouse');
  if (found.inside) throw refuse('is the location itself, or inside it');
  if (!found.isActive) throw refuse('is not in use');
  return found.id;
}

function refuseUnpickable(type: Location['type'], isPickable: boolean): void {
  if (!isPickable || canBePicked(type)) return;
  throw new InvalidRequest([
    { pointer: '#/isPickable', detail: 'cannot be at a dock, in staging or in a virtual place' },
  ]);
}

function refuseOnDefault({ code }: Location, change: ChangeLocation): void {
  if (!isDefault(code)) return;
  const renamed = change.code !== undefined && !isDefault(change.code);
  if (renamed || change.isActive === false || change.type === 'virtual') throw new DefaultLocationNeeded();
}

async function refuseWhileInStock(on: Executor, { id, warehouseId, code }: Location): Promise<void> {
  const [held] = await unitsHeld(on, [warehouseId, id]);
  if (held && held.units !== '0') throw new StillInStock('location', code, held.units);
}

function view(location: Location): LocationView {
  return {
    id: location.id,
    warehouseId: location.warehouseId,
    parentId: location.parentId,
    code: location.code,
    type: location.type,
    isPickable: location.isPickable,
    pickPriority: location.pickPriority,
    capacityUnits: location.capacityUnits === null ? null : Number(location.capacityUnits),
    isActive: location.isActive,
    createdAt: location.createdAt.toISOString(),
    rowVersion: location.rowVersion,
  };
}
