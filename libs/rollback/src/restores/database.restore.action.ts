import type { Preview } from '../engine/action.js';
import { defineAction } from '../engine/actions.js';
import { openBackup } from '../backups/open-backup.js';
import { namesOf } from './database-names.queries.js';
import { finished, isSwapped, restoreDatabase, undoDatabase, verifyDatabase } from './database-swap.service.js';
import { asJson } from './effect.service.js';
import { databaseRestoreInput } from './restore.contract.js';
import { writesSince } from './writes-since.queries.js';

/** The whole application database as it was in a proven backup (R5); the present one is kept under a failed name. */
export const databaseRestore = defineAction({
  name: 'database.restore',
  version: 1,
  input: databaseRestoreInput,
  critical: true,
  destructive: true,
  effect: true,
  timeoutS: 900,
  retries: { attempts: 1, when: () => false },
  emergency: 'E4',
  compensated: true,

  async inspect(context, { backupId }) {
    const { manifest, record } = await openBackup(context.world, backupId, context.signal);
    const names = namesOf(context);
    const lost = await writesSince(context, names.live, manifest.snapshot, manifest.snapshotAt);
    return asJson({ ...names, level: record.level, snapshotAt: manifest.snapshotAt, lost, leftOut: manifest.leftOut });
  },

  async preview(context, { backupId }): Promise<Preview> {
    const { manifest } = await openBackup(context.world, backupId, context.signal);
    const { live, failed, side } = namesOf(context);
    const { tables, facts } = await writesSince(context, live, manifest.snapshot, manifest.snapshotAt);
    const rows = manifest.tables.reduce((sum, table) => sum + Number(table.rows), 0);
    return {
      changes: [
        `${side} is made from backup ${backupId} and proven, while ${live} serves on`,
        'platform_writes is off for about two seconds',
        `ALTER DATABASE ${live} RENAME TO ${failed}`,
        `ALTER DATABASE ${side} RENAME TO ${live}`,
      ],
      estimatedMs: 5_000 + rows / 50,
      lock: 'access-exclusive',
      rows,
      reversible: true,
      notes: [
        ...tables.map(({ table, changes }) => `Only in the failed database: ${changes} changes of ${table}`),
        ...facts.map(({ name, count }) => `Announced since: ${name} (${count})`),
        ...manifest.leftOut.map((schema) => `Not in the backup, and only in the failed database: schema ${schema}`),
      ],
    };
  },

  execute: restoreDatabase,
  verify: verifyDatabase,
  compensate: undoDatabase,

  async reconcile(context) {
    const names = namesOf(context);
    // What is left over of a database beside is dropped when it is made again.
    if (!(await isSwapped(context, names))) return { effect: 'not-done' };
    return { effect: 'done', result: await finished(context, names) };
  },
});
