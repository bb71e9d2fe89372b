import type pg from 'pg';
import { z } from 'zod';
import { checkTransition, type BackupState } from '../engine/state.rules.js';
import { BackupNotFound } from '../rollback.problems.js';
import {
  backupFinding,
  type BackupFinding,
  backupLevel,
  type BackupLevel,
  type BackupScope,
} from './backup.contract.js';

const backupRecord = z.object({
  id: z.string(),
  scope: z.enum(['domains', 'application', 'control']),
  domains: z.array(z.string()),
  state: z.enum(['creating', 'created', 'checksummed', 'complete', 'restored', 'proven', 'expired', 'broken']),
  level: backupLevel,
  location: z.string(),
  bytes: z.coerce.number().nullable(),
  sha256: z.string().nullable(),
  snapshotAt: z.date().nullable(),
  createdAt: z.date(),
  /** The same with all its digits, for cursors. */
  createdText: z.string(),
  drillAt: z.date().nullable(),
  drillMs: z.coerce.number().nullable(),
  findings: z.array(backupFinding),
  runId: z.string().nullable(),
  wantedAt: z.date().nullable(),
  wantedLevel: backupLevel,
  requestedBy: z.string(),
  expiresAt: z.date().nullable(),
});
/** What the control database remembers of a backup; the folder itself may be gone. */
export type BackupRecord = z.infer<typeof backupRecord>;

const columns = `id, scope, domains, state, level, location, bytes, sha256, snapshot_at AS "snapshotAt",
  created_at AS "createdAt", to_jsonb(created_at) #>> '{}' AS "createdText", drill_at AS "drillAt", drill_ms AS "drillMs", findings, run_id AS "runId",
  wanted_at AS "wantedAt", wanted_level AS "wantedLevel", requested_by AS "requestedBy", expires_at AS "expiresAt"`;

type Control = Pick<pg.ClientBase, 'query'>;

export interface NewBackup {
  readonly id: string;
  readonly scope: BackupScope;
  readonly location: string;
  readonly runId: string | null;
  readonly requestedBy: string;
  /** To be worked on by whoever looks for work next, up to this level; without it the caller does it. */
  readonly wanted: BackupLevel | null;
}

/** Repeated it changes nothing. */
export async function insertBackup(control: Control, backup: NewBackup): Promise<void> {
  const domains = backup.scope.kind === 'domains' ? backup.scope.domains : [];
  await control.query(
    `INSERT INTO control.backup (id, scope, domains, location, state, run_id, requested_by, wanted_at, wanted_level)
     VALUES ($1, $2, $3, $4, 'creating', $5, $6, CASE WHEN $7::int IS NOT NULL THEN clock_timestamp() END, coalesce($7, 1))
     ON CONFLICT (id) DO NOTHING`,
    [backup.id, backup.scope.kind, domains, backup.location, backup.runId, backup.requestedBy, backup.wanted],
  );
}

export async function findBackup(control: Control, id: string): Promise<BackupRecord> {
  const [found] = await records(control, 'WHERE id = $1', [id]);
  if (!found) throw new BackupNotFound(id);
  return found;
}

/** The newest that has what is asked for; undefined when none has. */
export async function newestRecord(
  control: Control,
  wanted: { readonly domains: readonly string[] | 'application' | 'control'; readonly level: BackupLevel },
): Promise<BackupRecord | undefined> {
  const { domains, level } = wanted;
  const [scope, covered] = typeof domains === 'string' ? [domains, []] : ['application', domains];
  const [found] = await records(
    control,
    `WHERE level >= $1 AND state NOT IN ('creating', 'expired', 'broken')
       AND (scope = $2 OR scope = 'domains' AND cardinality($3::text[]) > 0 AND domains @> $3::text[])
     ORDER BY snapshot_at DESC LIMIT 1`,
    [level, scope, covered],
  );
  return found;
}

export async function records(
  control: Control,
  where: string,
  values: readonly unknown[] = [],
): Promise<BackupRecord[]> {
  const { rows } = await control.query(`SELECT ${columns} FROM control.backup ${where}`, [...values]);
  return z.array(backupRecord).parse(rows);
}

export interface BackupChange {
  readonly level?: BackupLevel;
  readonly manifest?: object;
  readonly sha256?: string;
  readonly bytes?: number;
  readonly snapshotAt?: string;
  readonly drillMs?: number;
  readonly findings?: readonly BackupFinding[];
}

/** The only way from one state to the next; throws `illegal-transition` where the table has none. */
export async function moveBackup(
  control: Control,
  id: string,
  from: BackupState,
  to: BackupState,
  change: BackupChange = {},
): Promise<void> {
  if (from !== to) checkTransition('backup', from, to);
  const { rowCount } = await control.query(
    `UPDATE control.backup
     SET state = $3, level = coalesce($4, level), manifest = coalesce($5, manifest), sha256 = coalesce($6, sha256),
         bytes = coalesce($7, bytes), snapshot_at = coalesce($8, snapshot_at), findings = coalesce($9, findings),
         drill_ms = coalesce($10, drill_ms), drill_at = CASE WHEN $10::bigint IS NULL THEN drill_at ELSE clock_timestamp() END
     WHERE id = $1 AND state = $2`,
    [
      id,
      from,
      to,
      change.level ?? null,
      change.manifest === undefined ? null : JSON.stringify(change.manifest),
      change.sha256 ?? null,
      change.bytes ?? null,
      change.snapshotAt ?? null,
      change.findings === undefined ? null : JSON.stringify(change.findings),
      change.drillMs === undefined ? null : Math.round(change.drillMs),
    ],
  );
  if (rowCount === 0) checkTransition('backup', (await findBackup(control, id)).state, to);
}

/** Asks for a backup to be brought to a level by whoever looks for work; false when there is none that could be. */
export async function wantProof(control: Control, id: string, level: BackupLevel): Promise<boolean> {
  const { rowCount } = await control.query(
    `UPDATE control.backup SET wanted_at = coalesce(wanted_at, clock_timestamp()), wanted_level = $2
     WHERE id = $1 AND state NOT IN ('expired', 'broken')`,
    [id, level],
  );
  return rowCount === 1;
}
