import { setTimeout as sleep } from 'node:timers/promises';
import { catalogFingerprint, prepareQueues, recordSchema } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import { openFixed, contentOf } from '../backups/fixed-session.js';
import { openBackup, type OpenBackup } from '../backups/open-backup.js';
import { proveRestored } from '../backups/proof.js';
import { restoreInto } from '../backups/restore-into.js';
import { SideDatabase } from '../backups/side-database.js';
import type { Evidence, StepContext } from '../engine/action.js';
import { enterFence, markedStep, raiseFence } from '../engine/fence.js';
import type { JsonObject } from '../engine/json.js';
import { BackupTooWeak, RestoreRefused } from '../rollback.problems.js';
import {
  dressAlike,
  inDatabase,
  namesOf,
  presentNames,
  swapNames,
  urlOf,
  type DatabaseNames,
} from './database-names.queries.js';
import { asJson, stepToUndo, tagOf, type LookContext } from './effect.service.js';
import { forgetCopy, rememberCopy } from './failed-copy.queries.js';
import { fillQueues, openWork } from './redelivery.queries.js';
import type { DatabaseRestoreInput } from './restore.contract.js';
import { isStoppedByPlan, letWrite, pausingWrites } from './write-pause.service.js';
import { writesSince } from './writes-since.queries.js';

const PROVEN = 4;

const outcome = z.object({
  failed: z.string(),
  backupId: z.string(),
  /** Whether this step stopped all writes itself, and so lets them go on. */
  paused: z.boolean(),
  queued: z.number(),
  swappedAt: z.string(),
});
const undoOutcome = z.object({ undone: z.literal(true), kept: z.string(), paused: z.boolean() });

/**
 * Brings the backup into a database beside the one in use, which serves on until that is proven; then stops writing,
 * carries over what is about the database itself, and exchanges the names. Called again it goes on where the names of
 * the databases say it was.
 */
export async function restoreDatabase(ctx: StepContext, { backupId }: DatabaseRestoreInput): Promise<JsonObject> {
  const { world } = ctx;
  const names = namesOf(ctx);
  if (await isSwapped(ctx, names)) return finished(ctx, names);
  const backup = await provenBackup(ctx, backupId);
  await endHolders(ctx);
  const side = await SideDatabase.create(world, backup.manifest.database, tagOf(ctx.runId));
  try {
    await restoreInto(world, backup, side, { signal: ctx.signal, progress: ctx.progress });
    const findings = await proveRestored(world, backup, side, ctx.signal);
    if (findings.length > 0) throw new RestoreRefused('What came of the backup is not what it says', { findings });
    const queued = await prepareSide(ctx, names, backup);
    await dressAlike(world.targets.databaseUrl, names.live, names.side);
    ctx.signal.throwIfAborted();
    const pauseMs = await pausingWrites(ctx, async (paused) => {
      const result = { failed: names.failed, backupId, paused, queued, swappedAt: new Date().toISOString() };
      await carryOver(ctx, names.live, names.side, result);
      await swapNames(world.targets.databaseUrl, ctx.sessionName, [
        [names.live, names.failed],
        [names.side, names.live],
      ]);
      await goOn(ctx, outcome);
    });
    return { ...(await finished(ctx, names)), pauseMs };
  } finally {
    await ((await isSwapped(ctx, names).catch(() => true)) ? side.release() : side.drop());
  }
}

/** An earlier attempt of this run, which is over, may still hold the database beside: its process may only be asleep. */
async function endHolders({ world, runId }: StepContext): Promise<void> {
  const name = `belay:side:${tagOf(runId)}`;
  for (;;) {
    const { rowCount } = await world.control.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1`,
      [name],
    );
    if ((rowCount ?? 0) === 0) return;
    await sleep(20);
  }
}

/** By names alone: the failed one is there, the one beside is not. */
export async function isSwapped({ world }: Pick<StepContext, 'world'>, names: DatabaseNames): Promise<boolean> {
  const present = await presentNames(world.targets.databaseUrl, Object.values(names));
  return present.has(names.live) && present.has(names.failed);
}

/** Whatever follows a swap, as often as it is asked for. */
export async function finished(ctx: StepContext, names: DatabaseNames): Promise<JsonObject> {
  const result = await goOn(ctx, outcome);
  await rememberCopy(ctx, { kind: 'database', object: names.failed, domain: null });
  await recordSchemas(ctx);
  const { manifest } = await openBackup(ctx.world, result.backupId, ctx.signal);
  const lost = await writesSince(ctx, names.failed, manifest.snapshot, manifest.snapshotAt);
  return asJson({ ...result, lost, leftOut: manifest.leftOut });
}

/** First of all after a swap: late writers are kept out of what has the name now, and everybody else may write again. */
async function goOn<Result extends { readonly paused: boolean }>(
  ctx: StepContext,
  shape: z.ZodType<Result>,
): Promise<Result> {
  const { world, stepKey } = ctx;
  const marked = await markedStep(world.application, stepKey);
  if (!marked) throw new Error('The databases were exchanged by another step');
  // Whoever took over while the names were being exchanged raised the fence of the one that is put aside.
  await raiseFence(world, ctx);
  const result = shape.parse(marked);
  if (result.paused) await letWrite(ctx);
  return result;
}

/** From other connections: the database in use is what the manifest says, under the same epoch as before. */
export async function verifyDatabase(ctx: StepContext, { backupId }: DatabaseRestoreInput): Promise<Evidence> {
  const { world } = ctx;
  const names = namesOf(ctx);
  if (!(await isSwapped(ctx, names))) return { outcome: 'fail', facts: { swapped: false, ...names } };
  const { manifest } = await openBackup(world, backupId, ctx.signal);
  const client = await openFixed(urlOf(world.targets.databaseUrl, names.live), 'belay:verify');
  try {
    const different: string[] = [];
    for (const domain of manifest.domains.filter((name) => name !== 'platform')) {
      const expected = manifest.catalogs.find((one) => one.domain === domain)?.fingerprint;
      if ((await catalogFingerprint(client, domain)).sha256 !== expected) different.push(`schema ${domain}`);
    }
    const written: string[] = [];
    for (const table of manifest.tables.filter(({ schema }) => schema !== 'platform')) {
      const { rows } = await client.query<{ rows: string; hash: string }>(contentOf(table));
      // Whoever writes again has written since.
      if (rows[0]?.hash !== table.hash) written.push(`${table.schema}.${table.table}`);
    }
    await enterFence(client, ctx);
    const marked = (await markedStep(client, ctx.stepKey)) !== undefined;
    return {
      outcome: marked && different.length === 0 ? 'pass' : 'fail',
      facts: { swapped: true, marked, different, writtenSince: written, ...names },
    };
  } finally {
    await client.end();
  }
}

/** The former database gets its name back; what was restored is kept instead. */
export async function undoDatabase(ctx: StepContext): Promise<JsonObject> {
  const { world } = ctx;
  const names = namesOf(ctx);
  const present = await presentNames(world.targets.databaseUrl, Object.values(names));
  if (!present.has(names.failed)) {
    if (present.has(names.undone)) return undoFinished(ctx, names);
    // It may have died after it stopped all writes.
    if (!(await isStoppedByPlan(ctx))) await letWrite(ctx);
    return { undone: false };
  }
  if (!(await stepToUndo(world.application, ctx))) return { undone: false };
  const pauseMs = await pausingWrites(ctx, async (paused) => {
    await carryOver(ctx, names.live, names.failed, { undone: true, kept: names.undone, paused });
    await swapNames(world.targets.databaseUrl, ctx.sessionName, [
      [names.live, names.undone],
      [names.failed, names.live],
    ]);
    await goOn(ctx, undoOutcome);
  });
  return { ...(await undoFinished(ctx, names)), pauseMs };
}

async function undoFinished(ctx: StepContext, names: DatabaseNames): Promise<JsonObject> {
  const result = await goOn(ctx, undoOutcome);
  await forgetCopy(ctx, { kind: 'database', object: names.failed });
  await rememberCopy(ctx, { kind: 'database', object: names.undone, domain: null });
  await recordSchemas(ctx);
  return asJson(result);
}

/** The database that has the name now may be of another release: what is drift is measured by its own migrations. */
function recordSchemas({ world, runId }: StepContext): Promise<void> {
  const ours = world.ledgers.filter(({ database }) => database === 'application').map(({ domain }) => domain);
  return recordSchema(world.targets, ours, runId);
}

async function provenBackup(ctx: LookContext, backupId: string): Promise<OpenBackup> {
  const backup = await openBackup(ctx.world, backupId, ctx.signal);
  const { manifest, record } = backup;
  if (record.level < PROVEN) throw new BackupTooWeak(backupId, record.level, PROVEN);
  if (manifest.scope !== 'application') {
    throw new RestoreRefused('The backup is not one of the whole application', { backupId, scope: manifest.scope });
  }
  return backup;
}

/** Queues are not in a backup: they begin empty, and get what was under way. */
async function prepareSide(ctx: StepContext, names: DatabaseNames, { manifest }: OpenBackup): Promise<number> {
  const open = await inDatabase(ctx.world.targets.databaseUrl, names.live, 'belay:queues', openWork);
  if (!open) return 0;
  return inDatabase(ctx.world.targets.databaseUrl, names.side, 'belay:queues', async (client) => {
    await prepareQueues(client);
    return fillQueues(client, manifest.snapshotAt, open);
  });
}

/** What is about the database that is in use and not about its rows: who may change it, and what was done once. */
async function carryOver(ctx: StepContext, from: string, to: string, result: JsonObject): Promise<void> {
  const { world, sessionName } = ctx;
  const carried = await inDatabase(world.targets.databaseUrl, from, sessionName, async (client) => {
    await client.query('BEGIN');
    await enterFence(client, ctx);
    const fences = await client.query<{ scope: string; epoch: string }>(`SELECT scope, epoch FROM platform.fence`);
    const markers = await client.query<{ marker: object }>(`SELECT to_jsonb(m) AS marker FROM platform.step_marker m`);
    await client.query('COMMIT');
    return { fences: fences.rows, markers: markers.rows.map(({ marker }) => marker) };
  });
  await inDatabase(world.targets.databaseUrl, to, sessionName, async (client) => {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO platform.fence AS present (scope, epoch)
       SELECT scope, epoch FROM jsonb_to_recordset($1) AS f (scope text, epoch bigint)
       ON CONFLICT (scope) DO UPDATE SET epoch = greatest(present.epoch, excluded.epoch)`,
      [JSON.stringify(carried.fences)],
    );
    await client.query(
      `INSERT INTO platform.step_marker
       SELECT r.* FROM jsonb_array_elements($1) AS m CROSS JOIN LATERAL jsonb_populate_record(NULL::platform.step_marker, m) r
       ON CONFLICT (step_key) DO NOTHING`,
      [JSON.stringify(carried.markers)],
    );
    await mark(client, ctx, result);
    await client.query('COMMIT');
  });
}

/** Counts only in the database that gets the name. */
async function mark(client: pg.ClientBase, ctx: StepContext, result: JsonObject): Promise<void> {
  await client.query(
    `INSERT INTO platform.step_marker (step_key, run_id, epoch, result) VALUES ($1, $2, $3, $4)
     ON CONFLICT (step_key) DO UPDATE SET epoch = excluded.epoch, result = excluded.result`,
    [ctx.stepKey, ctx.runId, ctx.epoch, JSON.stringify(result)],
  );
}
