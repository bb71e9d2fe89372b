import { statement, type Executor, type Statement } from '../database/statement.js';
import type { RecoveryInput } from './recovery.js';

/** A table whose changes are in the audit log. */
export interface RecoveredTable {
  readonly name: string;
  /** Its primary key. */
  readonly key: readonly string[];
}

/** Of a record that was changed since the marker, the first change: what was before it is what comes back. */
export interface ChangedRecord {
  /** Without its schema. */
  readonly table: string;
  /** The key of the row. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly operation: 'INSERT' | 'UPDATE' | 'DELETE';
  readonly old: Readonly<Record<string, unknown>> | null;
  readonly actors: string[];
  /** Somebody whose changes stay has changed it too. */
  readonly shared: boolean;
}

/**
 * SQL: whether a transaction was not yet visible when the marker was made. One that had begun before and was committed
 * after counts, which no time of a clock can tell. Without a snapshot, times with room for such ones. $1 snapshot, $2 time.
 */
export const changedSince = (txid: string, at: string) => `CASE
    WHEN $1::text IS NULL THEN ${at} > $2::timestamptz - interval '15 minutes'
    ELSE ${at} > $2::timestamptz - interval '1 day' AND NOT pg_visible_in_snapshot(${txid}, $1::pg_snapshot) END`;

/** SQL: whether a change is to be taken back. $3 whose changes alone are, $4 whose stay. */
export const changedBy = (actor: string) =>
  `($3::text[] IS NULL OR ${actor} = ANY ($3)) AND ($4::text[] IS NULL OR ${actor} IS NULL OR ${actor} <> ALL ($4))`;

/** What a way back asks about the schema of its domain, whose name it has. A domain makes one, once. */
export class RecoveredSchema {
  readonly #changes: Statement<ChangedRecord>;
  readonly #head: Statement<{ head: string }>;
  readonly #columns: Statement<{ table: string; columns: string[] }>;
  readonly #forget: Statement<{ key: string }>;

  constructor(name: string) {
    this.#changes = statement(
      `${name}.recovery_changed_records`,
      `WITH change AS (
         SELECT a.id, a.table_name, a.record, a.operation, a.old, a.actor, ${changedBy('a.actor')} AS meant
         FROM platform.audit_log a
         WHERE a.schema_name = '${name}' AND a.operation <> 'READ' AND a.table_name = ANY ($5::text[])
           AND ${changedSince('a.txid', 'a.at')})
       SELECT f.table_name AS "table", f.record, f.operation, f.old, w.actors, w.shared
       FROM (SELECT DISTINCT ON (table_name, record) * FROM change WHERE meant ORDER BY table_name, record, id) f
       CROSS JOIN LATERAL (
         SELECT array_agg(DISTINCT coalesce(c.actor, '')) AS actors, bool_or(NOT c.meant) AS shared
         FROM change c WHERE c.table_name = f.table_name AND c.record = f.record) w
       ORDER BY f.table_name, f.id`,
    );
    this.#head = statement(
      `${name}.recovery_audit_head`,
      `SELECT coalesce(max(id), 0)::text AS head FROM platform.audit_log
       WHERE schema_name = '${name}' AND operation <> 'READ'`,
    );
    this.#columns = statement(
      `${name}.recovery_columns`,
      `SELECT c.relname AS "table", array_agg(a.attname::text ORDER BY a.attnum) AS columns
       FROM pg_class c
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       WHERE c.relnamespace = '${name}'::regnamespace AND c.relname = ANY ($1::text[])
       GROUP BY c.relname`,
    );
    this.#forget = statement(
      `${name}.recovery_forget_keys`,
      `DELETE FROM platform.idempotency_key WHERE domain = '${name}' AND at > $1::timestamptz RETURNING key`,
    );
  }

  /** Records of the tables that were changed since the marker, by table and in the order of their first change. */
  changedRecords(
    on: Executor,
    { marker, only, excludeActors }: RecoveryInput,
    tables: readonly string[],
  ): Promise<ChangedRecord[]> {
    return this.#changes(on, [marker.snapshot, marker.at, only?.actors ?? null, excludeActors ?? null, tables]);
  }

  /** The newest entry of the audit log: a plan that was made before it may be wrong. */
  async auditHead(on: Executor): Promise<string> {
    const [newest = { head: '0' }] = await this.#head(on, []);
    return newest.head;
  }

  /** By table, the columns that a statement may write, in their order. */
  async writableColumns(
    on: Executor,
    tables: readonly RecoveredTable[],
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = await this.#columns(on, [tables.map(({ name }) => name)]);
    return new Map(found.map(({ table, columns }) => [table, columns]));
  }

  /** Forgets the answers under which requests since then would be taken for done; says how many. */
  async forgetKeysSince(on: Executor, at: Date): Promise<number> {
    return (await this.#forget(on, [at])).length;
  }
}
