import { catalogFingerprint } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import type { BackedUpTable } from '../backups/backup.contract.js';
import { contentOf, fixed } from '../backups/fixed-session.js';
import { openBackup, type OpenBackup } from '../backups/open-backup.js';
import type { Evidence, StepContext } from '../engine/action.js';
import type { JsonObject } from '../engine/json.js';
import { retryLocks } from '../engine/lock-retry.js';
import { BackupTooWeak, RestoreRefused } from '../rollback.problems.js';
import { dependentsOf, rebind, type Dependents } from './dependent.service.js';
import { asJson, effectOnce, look, stepToUndo, tagOf, type LookContext } from './effect.service.js';
import { forgetCopy, rememberCopy } from './failed-copy.queries.js';
import { putPlatformRowsBack, replacePlatformRows } from './platform-rows.service.js';
import { deliverAgain } from './redelivery.queries.js';
import type { DomainRestoreInput } from './restore.contract.js';
import { qualified } from './restored-table.queries.js';
import { logDifference, schemaDifference } from './schema-difference.queries.js';

const PROVEN = 4;
/** Views of others are waited for no longer: whoever reads them queues behind. */
const REBIND_LOCK = '500ms';

/** Of how values are written; what else a session is fixed to is for connections of their own. */
const written = fixed.filter((setting) =>
  /^(datestyle|timezone|intervalstyle|extra_float|bytea|xml|lc_)/.test(setting),
);

const outcome = z.object({ failed: z.string() });

/** Where the schema that is replaced, or was taken back again, is kept. */
export function keptNames(domain: string, runId: string): { readonly failed: string; readonly undone: string } {
  const tag = tagOf(runId);
  return { failed: `${domain}__failed_${tag}`, undone: `${domain}__undone_${tag}` };
}

export interface DomainOutlook {
  readonly dependents: Dependents;
  readonly refusals: readonly string[];
  readonly rows: number;
}

/** What the restore would meet. */
export function lookAtDomain(ctx: LookContext, { domain, backupId }: DomainRestoreInput): Promise<DomainOutlook> {
  return look(ctx, async ({ client }) => {
    const backup = await provenBackup(ctx, backupId, domain);
    const refusals = await refusalsOf(client, backup, domain);
    const live = refusals.length === 0;
    const dependents = live ? await dependentsOf(client, domain) : { views: [], others: [] };
    const rows = backup.tables([domain]).reduce((sum, table) => sum + Number(table.rows), 0);
    const blocked = dependents.others.map((what) => `${what} rests on the schema and cannot be made anew`);
    return { dependents, refusals: [...refusals, ...blocked], rows };
  });
}

/**
 * Puts the schema aside and makes it anew from the backup, in one transaction: whoever reads is served from the old one
 * until the new one is whole, and a crash leaves nothing behind.
 */
export async function restoreDomain(ctx: StepContext, { domain, backupId }: DomainRestoreInput): Promise<JsonObject> {
  const { failed } = keptNames(domain, ctx.runId);
  const result = await effectOnce(ctx, async ({ client }) => {
    const backup = await provenBackup(ctx, backupId, domain);
    const dependents = await dependentsOf(client, domain);
    const refusals = [...(await refusalsOf(client, backup, domain)), ...dependents.others];
    if (refusals.length > 0) throw new RestoreRefused(`${domain} cannot be replaced`, { refusals });

    await client.query(`ALTER SCHEMA ${pg.escapeIdentifier(domain)} RENAME TO ${pg.escapeIdentifier(failed)}`);
    await makeAnew(client, backup, domain);
    await copyRows(ctx, client, backup, domain);
    await compare(client, backup, domain);
    await grantAlike(client, failed, domain);
    const redelivered = await replacePlatformRows(client, backup, domain, failed);
    await deliverAgain(client, domain, redelivered);
    await logDifference(client, failed, domain);
    const lost = await schemaDifference(client, failed, domain);
    const published = await publishedSince(client, domain, backup.manifest.snapshotAt);
    await rebindPatiently(ctx, client, dependents);
    return asJson({
      failed,
      backupId,
      snapshotAt: backup.manifest.snapshotAt,
      tables: backup.tables([domain]).length,
      rebound: dependents.views.map(({ name }) => name),
      report: { tables: lost, published, redelivered },
    });
  });
  await rememberCopy(ctx, { kind: 'schema', object: failed, domain });
  return result;
}

/** From another connection: content and schema are those of the backup, and nobody rests on the old schema any more. */
export function verifyDomainRestore(ctx: StepContext, { domain, backupId }: DomainRestoreInput): Promise<Evidence> {
  return look(ctx, async ({ client }): Promise<Evidence> => {
    const backup = await openBackup(ctx.world, backupId, ctx.signal);
    const { failed } = keptNames(domain, ctx.runId);
    const different = await differencesFrom(client, backup, domain);
    const kept = await exists(client, failed);
    const behind = kept ? await dependentsOf(client, failed) : { views: [], others: [] };
    const left = [...behind.views.map(({ name }) => name), ...behind.others];
    const whole = different.length === 0 && kept && left.length === 0;
    return { outcome: whole ? 'pass' : 'fail', facts: { different, failed, kept, restOnFailed: left } };
  });
}

/** The former schema gets its name back, with all that rests on it; what was restored is kept instead. */
export async function undoDomainRestore(ctx: StepContext, { domain }: DomainRestoreInput): Promise<JsonObject> {
  const step = await stepToUndo(ctx.world.application, ctx);
  if (!step) return { undone: false };
  const { failed } = outcome.parse(step.result);
  const { undone } = keptNames(domain, ctx.runId);
  const result = await effectOnce(ctx, async ({ client }) => {
    const dependents = await dependentsOf(client, domain);
    if (dependents.others.length > 0) {
      throw new RestoreRefused(`${domain} cannot be replaced`, { refusals: dependents.others });
    }
    await client.query(`ALTER SCHEMA ${pg.escapeIdentifier(domain)} RENAME TO ${pg.escapeIdentifier(undone)}`);
    await client.query(`ALTER SCHEMA ${pg.escapeIdentifier(failed)} RENAME TO ${pg.escapeIdentifier(domain)}`);
    await putPlatformRowsBack(client, domain, domain, undone);
    await logDifference(client, undone, domain);
    const lost = await schemaDifference(client, undone, domain);
    await rebindPatiently(ctx, client, dependents);
    return asJson({ undone: true, kept: undone, report: { tables: lost } });
  });
  await forgetCopy(ctx, { kind: 'schema', object: failed });
  await rememberCopy(ctx, { kind: 'schema', object: undone, domain });
  return result;
}

async function provenBackup(ctx: LookContext, backupId: string, domain: string): Promise<OpenBackup> {
  const backup = await openBackup(ctx.world, backupId, ctx.signal);
  if (backup.record.level < PROVEN) throw new BackupTooWeak(backupId, backup.record.level, PROVEN);
  if (!backup.manifest.domains.includes(domain)) {
    throw new RestoreRefused(`The backup has nothing of ${domain}`, { backupId, domains: backup.manifest.domains });
  }
  return backup;
}

async function refusalsOf(client: pg.ClientBase, backup: OpenBackup, domain: string): Promise<string[]> {
  const lines = backup.manifest.ledger.filter((line) => line.domain === domain);
  const parkedThen = lines.length === 0 || lines.every(({ state }) => state === 'parked');
  return [
    ...(parkedThen ? [`${domain} was parked when the backup was made`] : []),
    ...((await exists(client, domain)) ? [] : [`${domain} is parked: bring it up first`]),
  ];
}

async function exists(client: pg.ClientBase, schema: string): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(`SELECT to_regnamespace($1) IS NOT NULL AS found`, [schema]);
  return rows[0]?.found === true;
}

/** By the SQL that every migration ran, whatever this build has. */
async function makeAnew(client: pg.ClientBase, backup: OpenBackup, domain: string): Promise<void> {
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

async function copyRows(ctx: StepContext, client: pg.ClientBase, backup: OpenBackup, domain: string): Promise<void> {
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

async function compare(client: pg.ClientBase, backup: OpenBackup, domain: string): Promise<void> {
  const different = await differencesFrom(client, backup, domain);
  if (different.length > 0) throw new RestoreRefused(`What came of the backup is not what it says`, { different });
}

async function differencesFrom(client: pg.ClientBase, backup: OpenBackup, domain: string): Promise<string[]> {
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

function ownTables(backup: OpenBackup, domain: string): readonly BackedUpTable[] {
  return backup.tables([domain]).filter(({ schema }) => schema === domain);
}

/** What somebody was granted by hand on the old tables counts on the new ones. */
async function grantAlike(client: pg.ClientBase, former: string, present: string): Promise<void> {
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

async function publishedSince(client: pg.ClientBase, domain: string, since: string): Promise<JsonObject[]> {
  const { rows } = await client.query<{ name: string; count: number; first: string; last: string }>(
    `SELECT name, count(*)::integer AS count, min(id)::text AS first, max(id)::text AS last
     FROM platform.outbox WHERE domain = $1 AND occurred_at > $2::timestamptz GROUP BY name ORDER BY name`,
    [domain, since],
  );
  return rows.map(asJson);
}

/** Only here do readers wait. What was made so far is not made again when a lock is not granted. */
async function rebindPatiently(ctx: StepContext, client: pg.ClientBase, dependents: Dependents): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = '${REBIND_LOCK}'`);
  await retryLocks(ctx.signal, async () => {
    await client.query('SAVEPOINT rebind');
    try {
      await rebind(client, dependents);
      await client.query('RELEASE SAVEPOINT rebind');
    } catch (error) {
      await client.query('ROLLBACK TO SAVEPOINT rebind');
      throw error;
    }
  });
}
