import type { BuiltMigration, Migration } from './ledger.js';
import type { LedgerRow } from './ledger-table.js';
import { MigrationChanged, MigrationUnknown } from './migrations.problems.js';

export interface PlannedStep {
  readonly name: string;
  readonly direction: 'up' | 'down';
  readonly checksum: string;
  /** Absent: this build does not have what was applied, the vault must. */
  readonly migration: Migration | undefined;
  /** It was up before, so what it made is parked. */
  readonly again: boolean;
}

/**
 * What must go up, oldest first: everything of this build that is not applied, up to and including `to`. A migration
 * that only the ledger knows stays parked unless `to` asks for it by name.
 */
export function stepsUp(
  domain: string,
  built: readonly BuiltMigration[],
  rows: readonly LedgerRow[],
  to?: string,
): readonly PlannedStep[] {
  const recorded = new Map(rows.map((row) => [row.name, row]));
  for (const { name, checksum } of built) {
    const applied = recorded.get(name)?.checksum ?? checksum;
    if (applied !== checksum) throw new MigrationChanged(domain, name, applied, checksum);
  }
  const ofBuild = built.map((one): PlannedStep => ({ ...one, direction: 'up', again: recorded.has(one.name) }));
  const names = new Set(built.map((one) => one.name));
  const ofVault = rows
    .filter((row) => !names.has(row.name))
    .map((row): PlannedStep => ({
      name: row.name,
      checksum: row.checksum,
      direction: 'up',
      migration: undefined,
      again: true,
    }));

  const wanted = to === undefined || names.has(to) ? ofBuild : [...ofBuild, ...ofVault];
  if (to !== undefined && !wanted.some((step) => step.name === to)) {
    throw new MigrationUnknown(domain, to, wanted.map((step) => step.name).sort());
  }
  return wanted
    .filter((step) => recorded.get(step.name)?.state !== 'applied' && (to === undefined || step.name <= to))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** What must go down, newest first: everything applied after `to`, or everything. */
export function stepsDown(
  domain: string,
  built: readonly BuiltMigration[],
  rows: readonly LedgerRow[],
  to?: string,
): readonly PlannedStep[] {
  const applied = rows.filter((row) => row.state === 'applied');
  if (to !== undefined && !applied.some((row) => row.name === to)) {
    throw new MigrationUnknown(
      domain,
      to,
      applied.map((row) => row.name),
    );
  }
  return applied
    .filter((row) => to === undefined || row.name > to)
    .sort((one, other) => (one.name > other.name ? -1 : 1))
    .map((row) => ({
      name: row.name,
      direction: 'down',
      checksum: row.checksum,
      migration: built.find((one) => one.name === row.name && one.checksum === row.checksum)?.migration,
      again: false,
    }));
}

/** Neighbours that can share a transaction, in order; a step that must run outside of one stands alone. */
export function batchesOf<Step>(
  steps: readonly Step[],
  standsAlone: (step: Step) => boolean,
): readonly (readonly Step[])[] {
  const batches: Step[][] = [];
  let open: Step[] | undefined;
  for (const step of steps) {
    if (standsAlone(step)) {
      batches.push([step]);
      open = undefined;
    } else if (open) {
      open.push(step);
    } else {
      batches.push((open = [step]));
    }
  }
  return batches;
}
