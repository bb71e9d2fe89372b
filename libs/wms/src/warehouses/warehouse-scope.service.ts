import { Injectable } from '@nestjs/common';
import { PermissionMissing, type Caller, type Executor } from '@belay/platform';
import { idOrCodeOf } from '../wms.contract.js';
import { InactiveMasterData, WarehouseNotFound } from './warehouse.problems.js';
import { warehouseGiven } from './warehouse.queries.js';

export interface KnownWarehouse {
  readonly id: string;
  readonly siteId: string;
  readonly code: string;
  readonly name: string;
  readonly timezone: string;
  readonly currency: string;
  readonly billingCycleStartDay: number;
  /** 1 is Monday. */
  readonly storageSnapshotIsodow: number;
  /** The last day of the periods that are closed; null when none is. */
  readonly closedThrough: string | null;
  readonly blockOnMissingRate: boolean;
  readonly isActive: boolean;
  readonly reconAbsTolerance: string;
  /** In percent. */
  readonly reconPctTolerance: string;
}

/** Who may read anything of a warehouse knows that it is there. */
const reading = ['wms.master:read', 'wms.inventory:read'];

/** Which warehouses somebody sees: those that stand at a site where they hold the permission. Belay itself sees all. */
@Injectable()
export class WarehouseScope {
  /** The parameter of `($1::uuid[] IS NULL OR site_id = ANY ($1))`; nobody sees anything by holding nothing. */
  sites(by: Caller, permission: string): readonly string[] | null {
    if (by.kind === 'system') return null;
    const held = by.sitesFor(permission);
    return held === 'all' ? null : held;
  }

  /** The warehouse of that id or code; `warehouse-not-found` also when the caller may not see it. */
  async seen(on: Executor, by: Caller, permission: string, idOrCode: string): Promise<KnownWarehouse> {
    const warehouse = await given(on, idOrCode);
    if (!warehouse || !holds(by, permission, warehouse)) throw new WarehouseNotFound(idOrCode);
    return warehouse;
  }

  /** As `seen`, but who may only read it is told which permission is missing. */
  async changeable(on: Executor, by: Caller, permission: string, idOrCode: string): Promise<KnownWarehouse> {
    return changeable(by, permission, idOrCode, await given(on, idOrCode));
  }

  /** As `changeable`, and it is in use: where something new is to begin. */
  async writable(on: Executor, by: Caller, permission: string, idOrCode: string): Promise<KnownWarehouse> {
    return this.admitted(by, permission, idOrCode, await given(on, idOrCode));
  }

  /** As `writable`, for who has read the warehouse; undefined when there is none. */
  admitted(by: Caller, permission: string, idOrCode: string, found: KnownWarehouse | undefined): KnownWarehouse {
    const warehouse = changeable(by, permission, idOrCode, found);
    if (!warehouse.isActive) throw new InactiveMasterData('warehouse', warehouse.code);
    return warehouse;
  }
}

async function given(on: Executor, idOrCode: string): Promise<KnownWarehouse | undefined> {
  return (await warehouseGiven(on, idOrCodeOf(idOrCode)))[0]?.warehouse;
}

function changeable(
  by: Caller,
  permission: string,
  idOrCode: string,
  warehouse: KnownWarehouse | undefined,
): KnownWarehouse {
  if (warehouse && holds(by, permission, warehouse)) return warehouse;
  if (warehouse && reading.some((one) => holds(by, one, warehouse))) throw new PermissionMissing(permission);
  throw new WarehouseNotFound(idOrCode);
}

function holds(by: Caller, permission: string, { siteId }: KnownWarehouse): boolean {
  return by.kind === 'system' || by.may(permission, siteId);
}
