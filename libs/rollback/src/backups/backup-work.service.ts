import type { AuditTrail } from '@belay/platform';
import { auditActor, system } from '../engine/actor.js';
import type { World } from '../engine/world.js';
import { proveBackup } from './backup-proof.service.js';
import { writtenBackup } from './backup-record.service.js';
import { findBackup, moveBackup, type BackupRecord } from './backup.queries.js';

/**
 * Makes the backup that was asked for, unless it was made, and brings it to the level that is wanted. Afterwards nothing
 * is wanted of it any more, whatever came of it; what happened is in the record and in the trail.
 */
export async function workOnBackup(
  world: World,
  trail: AuditTrail,
  wanted: BackupRecord,
  signal?: AbortSignal,
): Promise<BackupRecord> {
  const { id, wantedLevel, requestedBy } = wanted;
  const options = signal ? { signal } : {};
  let outcome = 'done';
  try {
    await writtenBackup(world, { id, scope: scopeOf(wanted), ...options });
    const { state } = await proveBackup(world, id, wantedLevel, options);
    if (state === 'broken') outcome = 'broken';
  } catch (error) {
    // Whoever comes next begins again where this one was told to stop.
    signal?.throwIfAborted();
    outcome = 'failed';
    const problem = error instanceof Error ? error.message : String(error);
    world.runtime.log.error({ err: error, backup: id }, 'a backup failed');
    const { state } = await findBackup(world.control, id);
    const findings = [{ level: 0, subject: 'the backup', problem }];
    await moveBackup(world.control, id, state, state === 'creating' ? 'broken' : state, { findings });
  }
  // A drill that the servers did not allow counts as one, or it would be tried again at once.
  await world.control.query(
    `UPDATE control.backup
     SET wanted_at = NULL, drill_at = CASE WHEN wanted_level >= 3 THEN clock_timestamp() ELSE drill_at END WHERE id = $1`,
    [id],
  );
  await trail.append({
    actor: auditActor(requestedBy === system.id ? system : { ...system, id: requestedBy }),
    action: 'backup.prove',
    subject: id,
    environment: world.runtime.config.NODE_ENV,
    outcome,
  });
  return findBackup(world.control, id);
}

function scopeOf({ scope, domains }: BackupRecord) {
  return scope === 'domains' ? { kind: scope, domains } : { kind: scope };
}
