import { availableParallelism } from 'node:os';
import { createLedgerTable } from '@belay/platform';
import pg from 'pg';
import type { World } from '../engine/world.js';
import { eachOf, openFixed } from './fixed-session.js';
import type { OpenBackup } from './open-backup.js';
import type { SideDatabase } from './side-database.js';

export interface RestoreOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, total: number, unit: string) => void;
}

/** How many connections read or write rows at a time. */
export const lanes = Math.min(4, availableParallelism());

/**
 * Makes an empty database into what was backed up: the schema by the SQL that every migration ran, whatever this build
 * has, then the rows. What is in it afterwards is not proven yet.
 */
export async function restoreInto(
  world: World,
  backup: OpenBackup,
  side: Pick<SideDatabase, 'url'>,
  options: RestoreOptions = {},
): Promise<void> {
  const clients: pg.Client[] = [];
  const open = async () => {
    const client = await openFixed(side.url, 'belay:restore');
    clients.push(client);
    return client;
  };
  try {
    const leader = await open();
    await makeSchema(leader, backup);
    await makePartitions(leader, backup);
    const { tables } = backup.manifest;
    await leader.query('SET session_replication_role = replica');
    for (const { schema, table } of tables) await leader.query(`DELETE FROM ${named(schema, table)}`);

    const total = tables.reduce((bytes, table) => bytes + Number(table.bytes), 0);
    let done = 0;
    const lane = async (client: pg.Client) => {
      // Constraints may call functions that find their way by it.
      await client.query('SET session_replication_role = replica; RESET search_path');
      return async (table: (typeof tables)[number]) => {
        await backup.copyInto(client, table, table, options.signal);
        await client.query(`ANALYZE ${named(table.schema, table.table)}`);
        done += Number(table.bytes);
        options.progress?.(done, total, 'bytes');
      };
    };
    const others = await Promise.all(Array.from({ length: lanes - 1 }, open));
    const largestFirst = [...tables].sort((one, other) => Number(BigInt(other.bytes) - BigInt(one.bytes)));
    await eachOf(largestFirst, await Promise.all([leader, ...others].map(lane)), options.signal);

    await leader.query('SET session_replication_role = origin');
    for (const { schema, name, value, called } of backup.manifest.sequences) {
      await leader.query(`SELECT setval($1::text::regclass, $2::bigint, $3)`, [named(schema, name), value, called]);
    }
    for (const { schema, name } of backup.manifest.materializedViews) {
      await leader.query(`REFRESH MATERIALIZED VIEW ${named(schema, name)}`);
    }
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

async function makeSchema(client: pg.Client, backup: OpenBackup): Promise<void> {
  const { extensions, ledger } = backup.manifest;
  const domains = [...new Set(ledger.map(({ domain }) => domain))];
  // Migrations bring those that live in a schema of theirs.
  for (const { name, schema } of extensions.filter((one) => !domains.includes(one.schema))) {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`);
    await client.query(
      `CREATE EXTENSION IF NOT EXISTS ${pg.escapeIdentifier(name)} SCHEMA ${pg.escapeIdentifier(schema)}`,
    );
  }
  // What migrations ran with; see MigrationSession.
  await client.query('SET search_path = public');
  const all = (await Promise.all(domains.map((domain) => backup.ledgerOf(domain)))).flat();
  for (const { sql } of all) await inTransaction(client, sql.up);
  for (const { sql } of all.filter(({ state }) => state === 'parked').reverse()) await inTransaction(client, sql.down);

  for (const domain of domains) {
    const table = `public.${pg.escapeIdentifier(`${domain}_migrations`)}`;
    await client.query(createLedgerTable(table));
    await client.query(
      `INSERT INTO ${table} (name, checksum, state, at)
       SELECT name, checksum, state, at FROM jsonb_to_recordset($1) AS line(name text, checksum text, state text, at timestamptz)`,
      [JSON.stringify(ledger.filter((line) => line.domain === domain))],
    );
  }
  await client.query('SET search_path = pg_catalog');
}

/** Partitions that jobs made are in no migration. */
async function makePartitions(client: pg.Client, backup: OpenBackup): Promise<void> {
  for (const { schema, partition, parent, bound, by } of backup.manifest.partitions) {
    const { rows } = await client.query<{ found: boolean }>(`SELECT to_regclass($1) IS NOT NULL AS found`, [
      named(schema, partition),
    ]);
    if (rows[0]?.found) continue;
    await client.query(
      `CREATE TABLE ${named(schema, partition)} PARTITION OF ${parent} ${bound}${by === null ? '' : ` PARTITION BY ${by}`}`,
    );
  }
}

async function inTransaction(client: pg.Client, statements: readonly string[]): Promise<void> {
  await client.query('BEGIN');
  try {
    // Nobody else is there whom a lock could make wait, and inside a transaction it cannot be done without one.
    for (const sql of statements) await client.query(sql.replace(/\bINDEX\s+CONCURRENTLY\b/i, 'INDEX'));
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

function named(schema: string, name: string): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
}
