import { Injectable } from '@nestjs/common';
import type { Caller, Executor } from '@belay/platform';
import { skuGiven } from '../goods/sku.queries.js';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import { idsAndCodes } from '../wms.contract.js';
import { locationsGiven, lotsGiven, warehousesAt } from './stock-filter.queries.js';

/** What people name when they ask for stock. */
export interface AskedFor {
  readonly warehouse?: string | undefined;
  readonly sku?: string | undefined;
  readonly lot?: string | undefined;
  readonly location?: string | undefined;
}

/** The ids behind it: of what is absent nothing was said, of what is empty there is nothing. */
export interface ScopedTo {
  readonly warehouses: readonly string[];
  readonly skus?: readonly string[];
  readonly lots?: readonly string[];
  readonly locations?: readonly string[];
}

const READ = 'wms.inventory:read';

/** Nobody reads stock but through here: it is always that of the warehouses the caller sees. */
@Injectable()
export class StockScope {
  constructor(private readonly scope: WarehouseScope) {}

  /** Undefined when there can be nothing to show. A warehouse that the caller does not see is `warehouse-not-found`. */
  async of(on: Executor, by: Caller, { warehouse, sku, lot, location }: AskedFor): Promise<ScopedTo | undefined> {
    const warehouses = await this.warehouses(on, by, warehouse);
    const [skuId, skuCode] = apart(sku);
    const [lotId, lotCode] = apart(lot);
    const [locationId, locationCode] = apart(location);
    const skus = sku === undefined ? undefined : idsOf(await skuGiven(on, [skuId, skuCode]));
    const lots = lot === undefined ? undefined : idsOf(await lotsGiven(on, [lotId, lotCode, skus ?? null]));
    const locations =
      location === undefined ? undefined : idsOf(await locationsGiven(on, [warehouses, locationId, locationCode]));
    if ([warehouses, skus, lots, locations].some((ids) => ids?.length === 0)) return undefined;
    return { warehouses, ...(skus && { skus }), ...(lots && { lots }), ...(locations && { locations }) };
  }

  /** Of all that the caller sees, or the one that is named. */
  async warehouses(on: Executor, by: Caller, warehouse?: string): Promise<string[]> {
    if (warehouse !== undefined) return [(await this.scope.seen(on, by, READ, warehouse)).id];
    return idsOf(await warehousesAt(on, [this.scope.sites(by, READ)]));
  }
}

function apart(given: string | undefined): [string | null, string | null] {
  const [[id = null], [code = null]] = idsAndCodes([given]);
  return [id, code];
}

function idsOf(rows: readonly { readonly id: string }[]): string[] {
  return rows.map(({ id }) => id);
}
