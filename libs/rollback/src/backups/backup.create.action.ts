import { join } from 'node:path';
import { z } from 'zod';
import type { StepContext } from '../engine/action.js';
import { defineAction } from '../engine/actions.js';
import type { BackupScope } from './backup.contract.js';
import { proveBackup } from './backup-proof.service.js';
import { factsOf, writtenBackup } from './backup-record.service.js';
import { insertBackup, records } from './backup.queries.js';

const input = z.union([
  z.strictObject({ domains: z.array(z.string().min(1)).min(1) }),
  /** `application`, `control`, or one domain. */
  z.strictObject({ scope: z.string().min(1) }),
]);

/** Copies rows as they are now; the folder is named by the step, so that every attempt means the same backup. */
export const backupCreate = defineAction({
  name: 'backup.create',
  version: 1,
  input,
  critical: true,
  destructive: false,
  effect: true,
  timeoutS: 300,
  retries: { attempts: 1, when: () => false },
  emergency: 'may',
  compensated: false,

  async inspect(context) {
    const [present] = await records(context.world.control, 'WHERE id = $1', [backupIdOf(context)]);
    return present ? factsOf(present) : { backupId: backupIdOf(context), state: 'absent' };
  },

  preview(context, given) {
    const { config } = context.world.runtime;
    const scope = scopeOf(given);
    const what = scope.kind === 'domains' ? scope.domains.join(', ') : `the ${scope.kind} database`;
    return Promise.resolve({
      changes: [`a backup of ${what} in ${join(config.BACKUP_DIR, backupIdOf(context))}`],
      estimatedMs: 15_000,
      lock: 'none',
      rows: 0,
      reversible: true,
      notes: config.BACKUP_KEY === undefined ? ['It is not encrypted: BACKUP_KEY is not set'] : [],
    });
  },

  async execute(context, given) {
    const { world, signal, progress, sessionName: name } = context;
    const id = backupIdOf(context);
    const scope = scopeOf(given);
    const location = join(world.runtime.config.BACKUP_DIR, id);
    const backup = { id, scope, location, runId: context.runId, requestedBy: context.actor, wanted: null };
    await context.inControl((control) => insertBackup(control, backup));
    return factsOf(await writtenBackup(world, { id, scope, signal, progress, sessionName: name }));
  },

  async verify(context) {
    const record = await proveBackup(context.world, backupIdOf(context), 1, { signal: context.signal });
    return { outcome: record.state === 'broken' ? 'fail' : 'pass', facts: factsOf(record) };
  },

  compensate: () => Promise.resolve({}),

  async reconcile(context) {
    const [present] = await records(context.world.control, 'WHERE id = $1', [backupIdOf(context)]);
    if (!present || present.state === 'creating') return { effect: 'not-done' };
    return { effect: 'done', result: factsOf(present) };
  },
});

/** The same for every attempt of the step: a UUID of the kind whose bits are one's own (RFC 9562, version 8). */
export function backupIdOf({ stepKey }: Pick<StepContext, 'stepKey'>): string {
  const variant = ((parseInt(stepKey.charAt(16), 16) & 3) | 8).toString(16);
  const digits = `${stepKey.slice(0, 12)}8${stepKey.slice(13, 16)}${variant}${stepKey.slice(17, 32)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function scopeOf(given: z.output<typeof input>): BackupScope {
  if ('domains' in given) return { kind: 'domains', domains: given.domains };
  const { scope } = given;
  return scope === 'application' || scope === 'control' ? { kind: scope } : { kind: 'domains', domains: [scope] };
}
