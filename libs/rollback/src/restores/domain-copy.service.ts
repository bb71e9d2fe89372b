import { catalogFingerprint } from '@belay/platform';
import type pg from 'pg';
import type { BackedUpTable } from '../backups/backup.contract.js';
import { contentOf, fixed } from '../backups/fixed-session.js';
import type { OpenBackup } from '../backups/open-backup.js';
import type { StepContext } from '../engine/action.js';
import { RestoreRefused } from '../rollback.problems.js';
import { qualified } from './restored-table.queries.js';

/** Of how values are written; what else a session is fixed to is for connections of their own. */
const written = fixed.filter((setting) =>
  /^(datestyle|timezone|intervalstyle|extra_float|bytea|xml|lc_)/.test(setting),
);

/** By the SQL that every migration ran, whatever this build has. */
export async function makeAnew(client: pg.ClientBase, backup: OpenBackup, domain: string): Promise<void> {
  await client.query(`SET LOCAL search_path = public`);
  const ledger = await backup.ledgerOf(domain);
  const down = ledger.filter(({ state }) => state === 'parked').toReversed();
  for (const sql of [...ledger.flatMap((line) => line.sql.up), ...down.flatMap((line) => line.sql.down)]) {
    // Nobody else sees it yet whom a lock could make wait, and inside a transaction it cannot be done without one.
    await client.query(sql.replace(/\bINDEX\s+CONCURRENTLY\b/i, 'INDEX'));
  }
  await client.query(`SET LOCAL search_path TO DEFAULT`);
  for (const { schema, partition, parent, bound, by } of backup.manifest.partitions.filter(
    (one) => one.schema === domain,
  )) {
    const name = qualified({ schema, name: partition });
    const { rows } = await client.query<{ found: boolean }>(`SELECT to_regclass($1) IS NOT NULL AS found`, [name]);
    if (rows[0]?.found) continue;
    await client.query(
      `CREATE TABLE ${name} PARTITION OF ${parent} ${bound}${by === null ? '' : ` PARTITION BY ${by}`}`,
    );
  }
}

/** Rows, numbers and what is derived from rows by the server. */
export async function copyRows(
  ctx: StepContext,
  client: pg.ClientBase,
  backup: OpenBackup,
  domain: string,
): Promise<void> {
  const tables = ownTables(backup, domain);
  const total = tables.reduce((sum, { rows }) => sum + Number(rows), 0);
  let done = 0;
  await client.query(`SET LOCAL session_replication_role = replica`);
  // Migrations may have brought rows of their own.
  for (const { schema, table } of tables) await client.query(`DELETE FROM ${qualified({ schema, name: table })}`);
  for (const table of tables) {
    ctx.signal.throwIfAborted();
    await backup.copyInto(client, table, table, ctx.signal);
    await client.query(`ANALYZE ${qualified({ schema: table.schema, name: table.table })}`);
    done += Number(table.rows);
    ctx.progress(done, total, 'rows');
  }
  await client.query(`SET LOCAL session_replication_role = DEFAULT`);
  for (const { schema, name, value, called } of backup.manifest.sequences.filter((one) => one.schema === domain)) {
    await client.query(`SELECT setval($1::text::regclass, $2::bigint, $3)`, [
      qualified({ schema, name }),
      value,
      called,
    ]);
  }
  for (const { schema, name } of backup.manifest.materializedViews.filter((one) => one.schema === domain)) {
    await client.query(`REFRESH MATERIALIZED VIEW ${qualified({ schema, name })}`);
  }
}

/** Throws unless content and schema are what the manifest says. */
export async function compare(client: pg.ClientBase, backup: OpenBackup, domain: string): Promise<void> {
  const different = await differencesFrom(client, backup, domain);
  if (different.length > 0) throw new RestoreRefused(`What came of the backup is not what it says`, { different });
}

/** What is not as the manifest says. */
export async function differencesFrom(client: pg.ClientBase, backup: OpenBackup, domain: string): Promise<string[]> {
  for (const setting of written) await client.query(`SET LOCAL ${setting}`);
  const different: string[] = [];
  for (const table of ownTables(backup, domain)) {
    const { rows } = await client.query<{ rows: string; hash: string }>(contentOf(table));
    const name = `${table.schema}.${table.table}`;
    if (rows[0]?.rows !== table.rows)
      different.push(`${name} has ${rows[0]?.rows ?? 'no'} rows instead of ${table.rows}`);
    else if (rows[0].hash !== table.hash) different.push(`${name} has other rows`);
  }
  const expected = backup.manifest.catalogs.find((one) => one.domain === domain)?.fingerprint;
  const { sha256 } = await catalogFingerprint(client, domain);
  if (expected !== sha256) different.push(`${domain} has another schema`);
  return different;
}

/** Those of its schema, without its rows of the platform. */
export function ownTables(backup: OpenBackup, domain: string): readonly BackedUpTable[] {
  return backup.tables([domain]).filter(({ schema }) => schema === domain);
}

/** What somebody was granted by hand on the old tables counts on the new ones. */
export async function grantAlike(client: pg.ClientBase, former: string, present: string): Promise<void> {
  const { rows } = await client.query<{ sql: string }>(
    `WITH granted AS (
       SELECT 'SCHEMA' AS kind, quote_ident($2) AS object, n.nspacl AS acl, n.nspowner AS owner
       FROM pg_namespace n WHERE n.nspname = $1
       UNION ALL
       SELECT CASE o.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, format('%I.%I', $2::text, o.relname), o.relacl, o.relowner
       FROM pg_class o
       WHERE o.relnamespace = to_regnamespace($1) AND o.relkind IN ('r', 'p', 'v', 'm', 'S')
         AND to_regclass(format('%I.%I', $2::text, o.relname)) IS NOT NULL
         AND o.relacl IS DISTINCT FROM (SELECT n.relacl FROM pg_class n
                                        WHERE n.oid = to_regclass(format('%I.%I', $2::text, o.relname))))
     SELECT format('GRANT %s ON %s %s TO %s%s', g.privilege_type, kind, object,
                   CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
                   CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS sql
     FROM granted CROSS JOIN LATERAL aclexplode(acl) g WHERE g.grantee <> owner`,
    [former, present],
  );
  for (const { sql } of rows) await client.query(sql);
}
