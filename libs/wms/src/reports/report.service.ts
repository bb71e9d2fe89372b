import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, type Caller, type List } from '@belay/platform';
import { z } from 'zod';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import {
  anomalyView,
  missingDocumentsView,
  type AnomalyFilter,
  type AnomalyView,
  type BilledFilter,
  type HappenedFilter,
  type LongStorageFilter,
  type LongStorageView,
  type MissingDocumentsView,
  type PalletVarianceView,
  type UnexpectedView,
  type VarianceView,
} from './report.contract.js';
import {
  anomalies,
  longStorage,
  missingDocuments,
  palletVariances,
  unexpectedCharges,
  varianceByWarehouse,
} from './report.queries.js';

const READ_INVOICES = 'wms.invoice:read';
const READ_COSTS = 'wms.cost:read';
const READ_OPERATIONS = 'wms.ops:read';

const byWarehouse = z.tuple([z.string(), z.uuid(), z.string()]);
const byNumber = z.tuple([z.string().regex(/^\d{1,19}$/)]);
const byAge = z.tuple([z.iso.date(), z.uuid(), z.uuid()]);
const byKind = z.tuple([z.string(), z.string()]);
const byTime = z.tuple([z.string(), z.uuid()]);

@Injectable()
export class ReportService {
  constructor(
    private readonly database: Database,
    private readonly warehouses: WarehouseScope,
  ) {}

  async variance(by: Caller, { warehouse, from, to, cursor, limit }: BilledFilter): Promise<List<VarianceView>> {
    const after = decodeCursor(cursor, byWarehouse) ?? [null, null, null];
    const values = [...(await this.scope(by, READ_INVOICES, warehouse)), from ?? null, to ?? null, ...after, limit + 1];
    const rows = await varianceByWarehouse(this.database.dataSource, values);
    return listFrom(
      rows,
      limit,
      (row) => [row.warehouse, row.warehouseId, row.currency],
      (row) => row,
    );
  }

  async unexpected(by: Caller, { warehouse, from, to, cursor, limit }: BilledFilter): Promise<List<UnexpectedView>> {
    const after = decodeCursor(cursor, byNumber) ?? [null];
    const values = [...(await this.scope(by, READ_INVOICES, warehouse)), from ?? null, to ?? null, ...after, limit + 1];
    const rows = await unexpectedCharges(this.database.dataSource, values);
    return listFrom(
      rows,
      limit,
      (row) => [row.lineId],
      (row) => row,
    );
  }

  async longStorage(by: Caller, { warehouse, days, cursor, limit }: LongStorageFilter): Promise<List<LongStorageView>> {
    const after = decodeCursor(cursor, byAge) ?? [null, null, null];
    const values = [...(await this.scope(by, READ_COSTS, warehouse)), days, ...after, limit + 1];
    const rows = await longStorage(this.database.dataSource, values);
    return listFrom(
      rows,
      limit,
      (row) => [row.firstReceivedOn, row.warehouseId, row.lotId],
      (row) => ({ ...row, units: Number(row.units) }),
    );
  }

  async palletVariance(
    by: Caller,
    { warehouse, from, to, cursor, limit }: HappenedFilter,
  ): Promise<List<PalletVarianceView>> {
    const after = decodeCursor(cursor, byNumber) ?? [null];
    const scope = await this.scope(by, READ_OPERATIONS, warehouse);
    const rows = await palletVariances(this.database.dataSource, [
      ...scope,
      from ?? null,
      to ?? null,
      ...after,
      limit + 1,
    ]);
    return listFrom(
      rows,
      limit,
      (row) => [row.seq],
      (row) => ({ ...row, units: Number(row.units), effectiveAt: row.effectiveAt.toISOString() }),
    );
  }

  async missingDocuments(
    by: Caller,
    { warehouse, from, to, cursor, limit }: HappenedFilter,
  ): Promise<List<MissingDocumentsView>> {
    const after = decodeCursor(cursor, byTime) ?? [null, null];
    const scope = await this.scope(by, READ_OPERATIONS, warehouse);
    const rows = await missingDocuments(this.database.dataSource, [
      ...scope,
      from ?? null,
      to ?? null,
      ...after,
      limit + 1,
    ]);
    return listFrom(
      rows,
      limit,
      (row) => [row.sortAt, row.movementId],
      (row) => missingDocumentsView.parse({ ...row, effectiveAt: row.effectiveAt.toISOString() }),
    );
  }

  async anomalies(by: Caller, { warehouse, cursor, limit }: AnomalyFilter): Promise<List<AnomalyView>> {
    const after = decodeCursor(cursor, byKind) ?? [null, null];
    const scope = await this.scope(by, READ_OPERATIONS, warehouse);
    const rows = await anomalies(this.database.dataSource, [...scope, ...after, limit + 1]);
    return listFrom(
      rows,
      limit,
      (row) => [row.kind, row.key],
      (row) => anomalyView.parse(row),
    );
  }

  private async scope(
    by: Caller,
    permission: string,
    warehouse: string | undefined,
  ): Promise<[sites: readonly string[] | null, warehouse: string | null]> {
    const sites = this.warehouses.sites(by, permission);
    if (warehouse === undefined) return [sites, null];
    return [sites, (await this.warehouses.seen(this.database.dataSource, by, permission, warehouse)).id];
  }
}
