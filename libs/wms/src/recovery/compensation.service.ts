import {
  actAsRun,
  RecoveryRefused,
  refusalOf,
  takeAwaySql,
  type ChangedRecord,
  type RecoveryContext,
  type RecoveryInput,
  type RecoveryOutcome,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { reverseMovements } from './ledger-compensation.service.js';
import {
  bringBackSql,
  outOfUseSql,
  partsOfInvoice,
  putBackSql,
  recoveredTables,
  type WarehouseTable,
} from './recovered-table.rules.js';
import { changesSince, planRecovery } from './recovery-plan.service.js';
import { dropCloses, restedOnInvoices, schema } from './recovery.queries.js';
import { undoStandingCharges } from './standing-charge.queries.js';
import { rebuildReserved } from './standing-movement.queries.js';

type Kept = RecoveryOutcome['kept'][number];

/** Somebody else's row rests on it, or a rule of the table forbids it: then it stays, and is said. */
const forbidden = new Set(['23001', '23503', '23505', '23514', '23P01', 'WM001', 'WM003', 'WM004']);

/**
 * Takes back what was changed since the marker, while everybody else goes on: rows to what they were, movements and
 * charges by their opposites. Stock is freed of later promises before it is taken back, and parents are there before
 * their children.
 */
export async function compensate(
  context: RecoveryContext,
  input: RecoveryInput,
  planHash: string,
): Promise<RecoveryOutcome> {
  const { tx, actor, signal } = context;
  const plan = await planRecovery(context, input);
  if (plan.hash !== planHash) throw new RecoveryRefused('Something was changed since the plan was made');
  if (plan.refusals.length > 0) throw new RecoveryRefused('It would leave less than nothing somewhere', plan.refusals);
  const { records, movements, charges } = await changesSince(context, input);
  signal.throwIfAborted();
  await actAsRun(context);

  const rows = new RowRecovery(tx, await schema.writableColumns(tx, recoveredTables));
  await rows.putBack(records);
  await dropCloses(tx, []);
  // What was promised since must not hold the stock that is taken back.
  const promises = records.filter(({ table }) => table === 'reservation_alloc');
  await rows.takeAway(promises);
  await rebuildReserved(tx, [true]);
  const reversed = await reverseMovements(context, movements);
  signal.throwIfAborted();
  const undone = charges ? await undoStandingCharges(tx, [...charges, actor]) : [];
  await rows.takeAway(records.filter((record) => !promises.includes(record)));
  await rebuildReserved(tx, [false]);
  return { ...rows.outcome, counterposted: { movements: reversed, charges: undone.length } };
}

/** Each row in a part of its own, so that one that cannot be taken back does not keep the others from it. */
class RowRecovery {
  #upserts = 0;
  #deletes = 0;
  readonly #kept: Kept[] = [];

  constructor(
    private readonly tx: EntityManager,
    private readonly columns: ReadonlyMap<string, readonly string[]>,
  ) {}

  get outcome(): Pick<RecoveryOutcome, 'upserts' | 'deletes' | 'kept'> {
    return { upserts: this.#upserts, deletes: this.#deletes, kept: this.#kept };
  }

  /** Parents first. */
  async putBack(records: readonly ChangedRecord[]): Promise<void> {
    for (const table of recoveredTables) {
      const columns = this.columns.get(table.name) ?? [];
      for (const change of records.filter(({ table: name, old }) => name === table.name && old !== null)) {
        if (this.isShared(change)) continue;
        const gone =
          change.operation === 'DELETE' || (await this.affected(putBackSql(table, columns), change.old)) === 0;
        const done = !gone || (await this.tried(table, change, () => this.bringBack(table, columns, change)));
        if (done) this.#upserts += 1;
      }
    }
  }

  /** Children first. */
  async takeAway(records: readonly ChangedRecord[]): Promise<void> {
    const stays = await this.invoicesThatStay(records);
    for (const table of recoveredTables.toReversed()) {
      for (const change of records.filter(
        ({ table: name, operation }) => name === table.name && operation === 'INSERT',
      )) {
        if (this.isShared(change)) continue;
        if (table.only) {
          this.keep(change, 'left', 'it is part of something that never goes');
        } else if (await this.belongsTo(stays, table, change)) {
          this.keep(change, 'left', 'its invoice stays');
        } else if (stays.has(String(change.record['id']))) {
          await this.putOutOfUse(table, change, 'a reconciliation or a dispute rests on it');
        } else if (await this.tried(table, change, () => this.delete(table, change))) {
          this.#deletes += 1;
        }
      }
    }
  }

  private async bringBack(table: WarehouseTable, columns: readonly string[], change: ChangedRecord): Promise<void> {
    await this.affected(bringBackSql(table, columns), change.old);
  }

  private async delete(table: WarehouseTable, { record }: ChangedRecord): Promise<void> {
    for (const child of table.with?.tables ?? []) {
      await this.tx.query(`DELETE FROM wms."${child}" WHERE "${table.with?.by ?? ''}" = $1`, [record['id']]);
    }
    await this.affected(takeAwaySql('wms', table), record);
  }

  /** Whether it worked; else the row is put out of use where that means something, and stays. */
  private async tried(table: WarehouseTable, change: ChangedRecord, work: () => Promise<void>): Promise<boolean> {
    const refusal = await refusalOf(this.tx, forbidden, work);
    if (refusal) await this.putOutOfUse(table, change, refusal.constraint ?? refusal.message);
    return !refusal;
  }

  private async putOutOfUse(table: WarehouseTable, change: ChangedRecord, because: string): Promise<void> {
    if (table.outOfUse === undefined || change.operation !== 'INSERT') {
      this.keep(change, 'left', because);
      return;
    }
    await this.affected(outOfUseSql(table), change.record);
    this.keep(change, 'put out of use', because);
  }

  private isShared(change: ChangedRecord): boolean {
    if (change.shared) this.keep(change, 'left', 'somebody else has changed it since');
    return change.shared;
  }

  private keep({ table, record }: ChangedRecord, how: Kept['how'], because: string): void {
    this.#kept.push({ table: `wms.${table}`, record, how, because });
  }

  private async invoicesThatStay(records: readonly ChangedRecord[]): Promise<ReadonlySet<string>> {
    const made = records.filter(({ table, operation }) => table === 'invoice' && operation === 'INSERT');
    const stays = await restedOnInvoices(this.tx, [made.map(({ record }) => record['id'])]);
    return new Set(stays.map(({ id }) => id));
  }

  /** A part of an invoice that stays as it was when it was put out of use. */
  private async belongsTo(
    stays: ReadonlySet<string>,
    table: WarehouseTable,
    { record }: ChangedRecord,
  ): Promise<boolean> {
    if (stays.size === 0 || !partsOfInvoice.has(table.name)) return false;
    const found: unknown = await this.tx.query(
      `SELECT FROM wms."${table.name}" WHERE id = $1 AND invoice_id = ANY ($2::uuid[])`,
      [record['id'], [...stays]],
    );
    return Array.isArray(found) && found.length > 0;
  }

  private async affected(sql: string, row: ChangedRecord['old']): Promise<number> {
    const counted = `WITH done AS (${sql} RETURNING 1) SELECT count(*)::integer AS rows FROM done`;
    const [done] = z.array(z.object({ rows: z.number() })).parse(await this.tx.query(counted, [JSON.stringify(row)]));
    return done?.rows ?? 0;
  }
}
