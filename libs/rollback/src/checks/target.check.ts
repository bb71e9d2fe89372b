import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { foldersOf, MANIFEST } from '../backups/open-backup.js';
import { findBackup } from '../backups/backup.queries.js';
import type { World } from '../engine/world.js';
import type { PlanStep } from '../plans/plan.contract.js';
import { passed, refused, type SafetyCheck } from './check.js';

/** S03: everything that a step names is there, and is what it was. */
export const targetCheck: SafetyCheck = {
  id: 'S03',
  title: 'What the plan names exists',
  severity: 'critical',
  phases: ['plan', 'start', 'step'],
  applies: () => true,

  async run({ world, plan, step }) {
    const steps = step === null ? plan.steps : [step];
    const missing = (await Promise.all(steps.map((one) => missingOf(world, one)))).flat();
    const measured = { missing };
    if (missing.length === 0) return passed(measured, { missing: [] });
    return refused(measured, { missing: [] }, [
      { kind: 'other-target', text: 'Plan for a backup, marker or schema that is there', command: 'belay backup list' },
      { kind: 'ask', text: 'Whoever keeps the backups brings the missing one back' },
    ]);
  },
};

async function missingOf(world: World, { input, action, domain }: PlanStep): Promise<string[]> {
  const { backupId, markerId, failedSchema } = input;
  const found = await Promise.all([
    typeof backupId === 'string' ? backupFlaw(world, backupId) : null,
    typeof markerId === 'string' ? markerFlaw(world, markerId) : null,
    typeof failedSchema === 'string' ? schemaFlaw(world, failedSchema) : null,
    action === 'migration.down' && domain !== null ? ledgerFlaw(world, domain) : null,
  ]);
  return found.filter((flaw) => flaw !== null);
}

/** The manifest is compared with what was written down when the backup was made; its files are when it is opened. */
async function backupFlaw(world: World, id: string): Promise<string | null> {
  const record = await findBackup(world.control, id).catch(() => undefined);
  if (!record) return `backup ${id}`;
  if (record.state === 'broken' || record.state === 'expired') return `backup ${id}, which is ${record.state}`;
  for (const folder of foldersOf(world, record)) {
    const manifest = await readFile(join(folder, MANIFEST)).catch(() => undefined);
    if (manifest && createHash('sha256').update(manifest).digest('hex') === record.sha256) return null;
  }
  return `the manifest of backup ${id} as it was written`;
}

async function markerFlaw({ control }: World, id: string): Promise<string | null> {
  const { rowCount } = await control.query(`SELECT FROM control.marker WHERE id = $1`, [id]);
  return rowCount ? null : `marker ${id}`;
}

async function schemaFlaw({ application }: World, name: string): Promise<string | null> {
  const { rowCount } = await application.query(`SELECT FROM pg_namespace WHERE nspname = $1`, [name]);
  return rowCount ? null : `schema ${name}`;
}

async function ledgerFlaw({ ledgers }: World, domain: string): Promise<string | null> {
  return Promise.resolve(ledgers.some((ledger) => ledger.domain === domain) ? null : `the migrations of ${domain}`);
}
