import { recordSchema } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import { openBackup, type OpenBackup } from '../backups/open-backup.js';
import type { Evidence, StepContext } from '../engine/action.js';
import type { JsonObject } from '../engine/json.js';
import { retryLocks } from '../engine/lock-retry.js';
import { BackupTooWeak, RestoreRefused } from '../rollback.problems.js';
import { compare, copyRows, differencesFrom, grantAlike, makeAnew, ownTables } from './domain-copy.service.js';
import { dependentsOf, rebind, type Dependents } from './dependent.service.js';
import { asJson, effectOnce, look, stepToUndo, tagOf, type LookContext } from './effect.service.js';
import { forgetCopy, rememberCopy } from './failed-copy.queries.js';
import { putPlatformRowsBack, replacePlatformRows } from './platform-rows.service.js';
import { deliverAgain } from './redelivery.queries.js';
import type { DomainRestoreInput } from './restore.contract.js';
import { tablesOf } from './restored-table.queries.js';
import { logDifference, schemaDifference } from './schema-difference.queries.js';

const PROVEN = 4;
/** Views of others are waited for no longer: whoever reads them queues behind. */
const REBIND_LOCK = '500ms';

const outcome = z.object({ failed: z.string() });

/** Where the schema that is replaced, or was taken back again, is kept. */
export function keptNames(domain: string, runId: string): { readonly failed: string; readonly undone: string } {
  const tag = tagOf(runId);
  return { failed: `${domain}__failed_${tag}`, undone: `${domain}__undone_${tag}` };
}

export interface DomainOutlook {
  readonly dependents: Dependents;
  readonly refusals: readonly string[];
  /** Qualified, of those that the backup and the schema both have. */
  readonly tables: readonly string[];
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
    const present = (await tablesOf(client, domain)).map(({ schema, name }) => `${schema}.${name}`);
    const tables = present.filter((name) =>
      ownTables(backup, domain).some((one) => `${one.schema}.${one.table}` === name),
    );
    return { dependents, refusals: [...refusals, ...blocked], tables, rows };
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
  await keptAside(ctx, domain, failed);
  return result;
}

/** Whatever follows the exchange of two schemas, as often as it is asked for. */
export async function keptAside(ctx: StepContext, domain: string, object: string): Promise<void> {
  await rememberCopy(ctx, { kind: 'schema', object, domain });
  // What has the name now may be of other migrations.
  await recordSchema(ctx.world.targets, [domain], ctx.runId);
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
  await keptAside(ctx, domain, undone);
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
