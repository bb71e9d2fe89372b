import { z } from 'zod';
import type { StepContext } from '../engine/action.js';
import { defineAction } from '../engine/actions.js';
import { proveBackup } from './backup-proof.service.js';
import { factsOf } from './backup-record.service.js';
import { findBackup, records, type BackupRecord } from './backup.queries.js';

/** Brings the newest backup of the run, or the one named, to a level; a side database is made from the third on. */
export const backupVerify = defineAction({
  name: 'backup.verify',
  version: 1,
  input: z.strictObject({
    level: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]),
    backupId: z.uuid().nullable().default(null),
  }),
  critical: true,
  destructive: false,
  effect: false,
  timeoutS: 600,
  retries: { attempts: 1, when: () => false },
  emergency: 'may',
  compensated: false,

  async inspect(context, { backupId }) {
    const record = await meant(context, backupId);
    return record ? factsOf(record) : { state: 'absent' };
  },

  preview: (_context, { level }) =>
    Promise.resolve({
      changes:
        level < 3 ? ['every file is read'] : ['the backup is restored into a side database, which is dropped again'],
      estimatedMs: level < 3 ? 5_000 : 60_000,
      lock: 'none',
      rows: 0,
      reversible: true,
      notes: [],
    }),

  async execute(context, { level, backupId }) {
    const { world, signal, progress, runId } = context;
    const record = await meant(context, backupId);
    if (!record) throw new Error('The run has made no backup that could be verified');
    return factsOf(await proveBackup(world, record.id, level, { signal, progress, tag: runId.slice(-8) }));
  },

  async verify(context, { level, backupId }) {
    const record = await meant(context, backupId);
    if (!record) return { outcome: 'inconclusive', facts: { state: 'absent' } };
    const good = record.level >= level && record.state !== 'broken' && record.state !== 'expired';
    return { outcome: good ? 'pass' : 'fail', facts: { ...factsOf(record), wanted: level } };
  },

  compensate: () => Promise.resolve({}),

  async reconcile(context, { level, backupId }) {
    const record = await meant(context, backupId);
    return record && record.level >= level ? { effect: 'done', result: factsOf(record) } : { effect: 'not-done' };
  },
});

async function meant({ world, runId }: StepContext, backupId: string | null): Promise<BackupRecord | undefined> {
  if (backupId !== null) return findBackup(world.control, backupId);
  const [newest] = await records(world.control, 'WHERE run_id = $1 ORDER BY created_at DESC LIMIT 1', [runId]);
  return newest;
}
