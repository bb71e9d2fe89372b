import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  Database,
  decodeCursor,
  listFrom,
  PreconditionFailed,
  violates,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import type { AliasFilter, AliasView, ChangeAlias, DraftAlias } from './rate.contract.js';
import { AliasNotFound, AliasTaken } from './rate.problems.js';
import {
  aliasById,
  aliasList,
  deleteAlias,
  insertAlias,
  lockAlias,
  lockRates,
  updateAlias,
  type AliasRow,
} from './rate.queries.js';
import { READ_RATES, WRITE_RATES } from './rate.service.js';

const listKey = z.tuple([z.string(), z.uuid()]);

/** What operators write on their invoices, and which rate they mean by it. */
@Injectable()
export class RateAliasService {
  constructor(
    private readonly database: Database,
    private readonly scope: WarehouseScope,
  ) {}

  async list(by: Caller, { warehouse, category, cursor, limit }: AliasFilter): Promise<List<AliasView>> {
    const on = this.database.dataSource;
    const place = warehouse === undefined ? null : (await this.scope.seen(on, by, READ_RATES, warehouse)).id;
    const after = decodeCursor(cursor, listKey) ?? [null, null];
    const sites = this.scope.sites(by, READ_RATES);
    const rows = await aliasList(on, [sites, place, category ?? null, ...after, limit + 1]);
    return listFrom(rows, limit, (row) => [row.sortName, row.id], view);
  }

  async draft(by: Caller, { warehouse, category, alias, rateName }: DraftAlias): Promise<AliasView> {
    try {
      return await this.database.transaction(by, async (tx) => {
        const { id: warehouseId } = await this.scope.changeable(tx, by, WRITE_RATES, warehouse);
        await lockRates(tx, [warehouseId]);
        const id = randomUUIDv7();
        const added = await insertAlias(tx, [id, warehouseId, category, alias, rateName, by.accountId]);
        if (added.length === 0) throw new AliasTaken(alias);
        return view(await this.seen(tx, by, id));
      });
    } catch (error) {
      throw violates(error, 'alias_is_unique') ? new AliasTaken(alias) : error;
    }
  }

  change(by: Caller, id: string, version: number, { rateName }: ChangeAlias): Promise<AliasView> {
    return this.database.transaction(by, async (tx) => {
      await this.locked(tx, by, id, version);
      await updateAlias(tx, [id, rateName]);
      return view(await this.seen(tx, by, id));
    });
  }

  async remove(by: Caller, id: string, version: number): Promise<void> {
    await this.database.transaction(by, async (tx) => {
      await this.locked(tx, by, id, version);
      await deleteAlias(tx, [id]);
    });
  }

  private async seen(on: Executor, by: Caller, id: string): Promise<AliasRow> {
    const [alias] = await aliasById(on, [id]);
    const sites = this.scope.sites(by, READ_RATES);
    if (!alias || (sites !== null && !sites.includes(alias.siteId))) throw new AliasNotFound(id);
    return alias;
  }

  private async locked(tx: EntityManager, by: Caller, id: string, version: number): Promise<void> {
    const { warehouse } = await this.seen(tx, by, id);
    await this.scope.changeable(tx, by, WRITE_RATES, warehouse);
    const [locked] = await lockAlias(tx, [id]);
    if (!locked) throw new AliasNotFound(id);
    if (locked.rowVersion !== version) throw new PreconditionFailed(locked.rowVersion);
  }
}

function view({ id, warehouse, category, alias, rateName, rowVersion }: AliasRow): AliasView {
  return { id, warehouse, category, alias, rateName, rowVersion };
}
