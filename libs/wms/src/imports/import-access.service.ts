import { Inject, Injectable } from '@nestjs/common';
import {
  FeatureDraining,
  FeatureOff,
  FeatureReadOnly,
  gateContext,
  PermissionMissing,
  RUNTIME,
  type Caller,
  type Executor,
  type Runtime,
} from '@belay/platform';
import { WarehouseScope, type KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { ImportNotFound } from './import.problems.js';
import { batchById } from './import.queries.js';
import type { Batch, Importer } from './importer.service.js';

export const RUN_IMPORTS = 'wms.import:run';

/** Who may import what, and where. */
@Injectable()
export class ImportAccess {
  constructor(
    private readonly scope: WarehouseScope,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  /** The import, when it is of a warehouse that the caller sees, or of none. */
  async seen(on: Executor, by: Caller, id: string): Promise<Batch> {
    const [row] = await batchById(on, [id]);
    if (!row) throw new ImportNotFound(id);
    const held = by.kind === 'system' || by.may(RUN_IMPORTS, row.siteId ?? undefined);
    if (!held) throw new ImportNotFound(id);
    const warehouse = row.warehouseId === null ? null : await this.scope.seen(on, by, RUN_IMPORTS, row.warehouseId);
    return { row, warehouse };
  }

  warehouse(on: Executor, by: Caller, idOrCode: string): Promise<KnownWarehouse> {
    return this.scope.writable(on, by, RUN_IMPORTS, idOrCode);
  }

  /** Throws when the caller may not write what the file brings, or when that is switched off. */
  demand(
    by: Caller,
    { feature, permissions }: Importer,
    { warehouse }: Pick<Batch, 'warehouse'>,
    isNew: boolean,
  ): void {
    const mode = this.runtime.gate.featureMode(feature, gateContext(by));
    if (mode === 'off') throw new FeatureOff(feature);
    if (mode === 'read_only') throw new FeatureReadOnly(feature);
    if (mode === 'drain' && isNew) throw new FeatureDraining(feature);
    const lacking = permissions.find((permission) => by.kind !== 'system' && !by.may(permission, warehouse?.siteId));
    if (lacking !== undefined) throw new PermissionMissing(lacking);
  }
}
