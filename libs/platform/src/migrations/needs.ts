import type { PlannedStep } from './migration.rules.js';
import { LedgerTable } from './ledger-table.js';
import { MigrationNeeded, NeedMissing } from './migrations.problems.js';
import type { MigrationSession } from './session.js';
import type { Artifact, Vault } from './vault.js';

/** Refuses steps up whose needs are not applied, and steps down that an applied migration needs. */
export async function checkNeeds(
  domain: string,
  steps: readonly (PlannedStep & { readonly stored: Artifact | undefined })[],
  session: MigrationSession,
  vault: Vault,
): Promise<void> {
  const moving = new Set(steps.map((step) => `${domain}/${step.name}`));
  for (const step of steps.filter(({ direction }) => direction === 'up')) {
    for (const need of step.migration?.needs ?? step.stored?.needs ?? []) {
      const before = moving.has(need) && need < `${domain}/${step.name}`;
      if (!before && !(await isApplied(session, need))) throw new NeedMissing(`${domain}/${step.name}`, need);
    }
  }
  const parking = steps.filter(({ direction }) => direction === 'down').map((step) => `${domain}/${step.name}`);
  for (const { name, needs } of await vault.needing(parking)) {
    if (!moving.has(name) && (await isApplied(session, name))) {
      throw new MigrationNeeded(parking.find((parked) => needs.includes(parked)) ?? '', name);
    }
  }
}

async function isApplied(session: MigrationSession, qualifiedName: string): Promise<boolean> {
  const [domain = '', name] = qualifiedName.split('/');
  const rows = await new LedgerTable(session, domain).rows();
  return rows.some((row) => row.name === name && row.state === 'applied');
}
