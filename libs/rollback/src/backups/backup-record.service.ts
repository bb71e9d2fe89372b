import type { JsonObject } from '../engine/json.js';
import type { World } from '../engine/world.js';
import type { BackupFinding } from './backup.contract.js';
import { findBackup, moveBackup, type BackupRecord } from './backup.queries.js';
import { writeBackup, type BackupRequest } from './backup-write.js';

/** Writes the backup that the record announces, unless it was written, and remembers what it is. */
export async function writtenBackup(world: World, request: BackupRequest): Promise<BackupRecord> {
  const before = await findBackup(world.control, request.id);
  if (before.state !== 'creating') return before;
  const { manifest, sha256, bytes, copied } = await writeBackup(world, request);
  const findings: BackupFinding[] = copied
    ? []
    : [{ level: 0, subject: 'BACKUP_COPY_DIR', problem: 'has no second copy' }];
  const change = { manifest, sha256, bytes, snapshotAt: manifest.snapshotAt, findings };
  await moveBackup(world.control, request.id, 'creating', 'created', change);
  return findBackup(world.control, request.id);
}

/** For journals and reports. */
export function factsOf({ id, state, level, bytes, sha256, snapshotAt, drillMs, findings }: BackupRecord): JsonObject {
  return {
    backupId: id,
    state,
    level,
    bytes,
    sha256,
    snapshotAt: snapshotAt?.toISOString() ?? null,
    drillMs,
    findings,
  };
}
