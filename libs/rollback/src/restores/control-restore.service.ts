import { randomUUIDv7 } from 'node:crypto';
import { basename } from 'node:path';
import { AuditTrail, openPool } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import { OpenBackup, readWhole, vesselOf } from '../backups/open-backup.js';
import { proveRestored } from '../backups/proof.js';
import { restoreInto } from '../backups/restore-into.js';
import { madeLike } from '../backups/side-database.js';
import { auditActor, type Actor } from '../engine/actor.js';
import type { World } from '../engine/world.js';
import { BackupBroken, RestoreRefused } from '../rollback.problems.js';
import { dressAlike, inDatabase, onServer, presentNames, swapNames, urlOf } from './database-names.queries.js';
import { tagOf } from './effect.service.js';

export interface ControlRestoreRequest {
  /** Of a backup of the control database; its own record may be lost with the rest. */
  readonly folder: string;
  /** The newest that is kept outside of the database. */
  readonly newestAnchor: { readonly seq: number; readonly hash: string } | null;
  readonly by: Actor;
  readonly reason: string;
}

export interface ControlRestored {
  /** Where the former database is kept; null when there was none. */
  readonly kept: string | null;
  readonly head: { readonly seq: number; readonly hash: string };
  /** Entries of the audit trail that are lost, and the anchor that shows it. */
  readonly gap: { readonly from: number; readonly to: number; readonly anchorHash: string } | null;
  /** The trail of the backup is not the one that the anchor was made of. */
  readonly fork: { readonly seq: number; readonly anchorHash: string; readonly hash: string } | null;
  /** Flags that were off and stay so. */
  readonly stillOff: readonly string[];
  /** Runs that were at work when the backup was made, and wait for a person now. */
  readonly stopped: readonly string[];
}

/**
 * The memory itself, as it was in a backup (`belay control restore`). Only while nobody works with it. What was switched
 * off since stays off, epochs are never given twice, and what the audit trail has lost stands in it.
 */
export async function restoreControl(world: World, request: ControlRestoreRequest): Promise<ControlRestored> {
  const { controlUrl: server, databaseUrl } = world.targets;
  const backup = await openFolder(world, request.folder);
  const tag = tagOf(randomUUIDv7());
  const live = decodeURIComponent(new URL(server).pathname.slice(1));
  const names = { live, failed: `${live.slice(0, 40)}_failed_${tag}`, side: `${live.slice(0, 40)}_side_${tag}` };
  const isThere = (await presentNames(server, [live])).has(live);
  if (isThere) await refuseWork(server, live);
  const off = isThere ? await switchedOff(server, live) : [];
  const epochs = await fences(databaseUrl);

  await onServer(server, 'belay:control', (client) =>
    client.query(
      `CREATE DATABASE ${pg.escapeIdentifier(names.side)} TEMPLATE template0 ${madeLike(backup.manifest.database)}`,
    ),
  );
  try {
    const side = { url: urlOf(server, names.side) };
    await restoreInto(world, backup, side);
    const findings = await proveRestored(world, backup, side);
    if (findings.length > 0) throw new RestoreRefused('What came of the backup is not what it says', { findings });
    const stopped = await inDatabase(server, names.side, 'belay:control', (client) =>
      calm(client, off, epochs, request),
    );
    const told = await tellTrail(side.url, world, request);
    if (isThere) await dressAlike(server, live, names.side);
    const away: (readonly [string, string])[] = isThere ? [[live, names.failed]] : [];
    await swapNames(server, 'belay:control', [...away, [names.side, live]]);
    return { kept: isThere ? names.failed : null, ...told, stillOff: off, stopped };
  } finally {
    await onServer(server, 'belay:control', (client) =>
      client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(names.side)} WITH (FORCE)`),
    );
  }
}

async function openFolder(world: World, folder: string): Promise<OpenBackup> {
  const id = basename(folder);
  const { manifest, problems } = await readWhole(world.signer, folder, { id });
  if (!manifest || problems.length > 0) throw new BackupBroken(id, [...problems]);
  if (manifest.scope !== 'control') {
    throw new RestoreRefused('The backup is not one of the control database', { id, scope: manifest.scope });
  }
  const at = new Date(manifest.snapshotAt);
  const record = {
    id,
    scope: manifest.scope,
    domains: manifest.domains,
    state: 'created',
    level: 0,
    location: folder,
    bytes: null,
    sha256: null,
    snapshotAt: at,
    createdAt: at,
    createdText: manifest.snapshotAt,
    drillAt: null,
    drillMs: null,
    findings: [],
    runId: null,
    wantedAt: null,
    wantedLevel: 1,
    requestedBy: 'host',
    expiresAt: null,
  } as const;
  return new OpenBackup({ ...record, findings: [] }, manifest, vesselOf(world, manifest, folder));
}

async function refuseWork(server: string, live: string): Promise<void> {
  const { rows } = await onServer(server, 'belay:control', (client) =>
    client.query<{ name: string }>(
      `SELECT DISTINCT application_name AS name FROM pg_stat_activity
       WHERE datname = $1 AND application_name ~ '^belay-(api|worker)' ORDER BY 1`,
      [live],
    ),
  );
  if (rows.length > 0) {
    throw new RestoreRefused('Somebody works with the control database: stop every API and worker first', {
      connected: rows.map(({ name }) => name),
    });
  }
}

/** Whatever can still be read of it. */
async function switchedOff(server: string, live: string): Promise<readonly string[]> {
  return inDatabase(server, live, 'belay:control', async (client) => {
    const { rows } = await client.query<{ flag: string }>(
      `SELECT flag FROM control.flag_override WHERE scope = 'live' AND off ORDER BY flag`,
    );
    return rows.map(({ flag }) => flag);
  }).catch(() => []);
}

const fence = z.object({ scope: z.string(), epoch: z.string() });

async function fences(databaseUrl: string): Promise<readonly z.infer<typeof fence>[]> {
  const name = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  return inDatabase(databaseUrl, name, 'belay:control', async (client) =>
    z.array(fence).parse((await client.query(`SELECT scope, epoch FROM platform.fence`)).rows),
  );
}

/** Nothing goes on by itself that was under way at the time of the backup. */
async function calm(
  client: pg.Client,
  off: readonly string[],
  epochs: readonly z.infer<typeof fence>[],
  { by, reason }: ControlRestoreRequest,
): Promise<readonly string[]> {
  await client.query('BEGIN');
  for (const flag of off) {
    await client.query(
      `SELECT control.override_flag('live', $1, true, $2, $3)
       WHERE NOT EXISTS (SELECT FROM control.flag_override WHERE scope = 'live' AND flag = $1 AND off)`,
      [flag, reason, by.id],
    );
  }
  for (const { scope, epoch } of epochs) {
    await client.query(
      `UPDATE control.lease SET epoch = greatest(epoch, $2), holder = NULL, heartbeat_at = NULL WHERE scope = $1`,
      [scope, epoch],
    );
  }
  await client.query(
    `UPDATE control.run SET state = 'cancelled', finished_at = clock_timestamp() WHERE state = 'queued'`,
  );
  const { rows } = await client.query<{ id: string }>(
    `UPDATE control.run SET state = 'paused', paused_for = 'human', paused_from = state, wish = NULL
     WHERE state IN ('running', 'verifying', 'failed', 'compensating') RETURNING id`,
  );
  await client.query('COMMIT');
  return rows.map(({ id }) => id);
}

async function tellTrail(
  url: string,
  world: World,
  { newestAnchor, by, reason }: ControlRestoreRequest,
): Promise<Pick<ControlRestored, 'head' | 'gap' | 'fork'>> {
  const { NODE_ENV: environment } = world.runtime.config;
  const pool = openPool(url, { max: 1, statementTimeoutMs: 0, lockTimeoutMs: 2_000, applicationName: 'belay:control' });
  try {
    const trail = new AuditTrail(pool);
    const { head } = await trail.verify();
    if (!head) throw new RestoreRefused('The audit trail of the backup has no head');
    const entry = { actor: auditActor(by), environment, reason };
    const gap =
      newestAnchor && newestAnchor.seq > head.seq
        ? { from: head.seq + 1, to: newestAnchor.seq, anchorHash: newestAnchor.hash }
        : null;
    if (gap) {
      const subject = `entries ${gap.from} to ${gap.to}, anchor ${gap.anchorHash}`;
      await trail.append({ ...entry, action: 'audit.gap', subject, beforeDigest: gap.anchorHash, outcome: 'lost' });
    }
    const fork = newestAnchor && !gap ? await forkAt(pool, newestAnchor) : null;
    if (fork) {
      const subject = `entry ${fork.seq}, anchor ${fork.anchorHash}`;
      const digests = { beforeDigest: fork.anchorHash, afterDigest: fork.hash };
      await trail.append({ ...entry, ...digests, action: 'audit.fork', subject, outcome: 'differs' });
    }
    const last = await trail.append({ ...entry, action: 'control.restore', subject: 'control', outcome: 'done' });
    return { head: { seq: last.seq, hash: last.hash.toString('hex') }, gap, fork };
  } finally {
    await pool.end();
  }
}

async function forkAt(
  pool: pg.Pool,
  { seq, hash }: { readonly seq: number; readonly hash: string },
): Promise<ControlRestored['fork']> {
  const { rows } = await pool.query<{ hash: string }>(
    `SELECT encode(hash, 'hex') AS hash FROM control.audit_entry WHERE seq = $1`,
    [seq],
  );
  const found = rows[0]?.hash ?? '';
  return found === hash ? null : { seq, anchorHash: hash, hash: found };
}
