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

/** How far to go: to the named migration, or through exactly those that are listed; everything when neither is said. */
export interface Extent {
  readonly to?: string | undefined;
  readonly only?: readonly string[] | undefined;
}

/**
 * What must go up, oldest first: everything of this build that is not applied, up to and including `to`. A migration
 * that only the ledger knows stays parked unless `to` or `only` asks for it by name.
 */
export function stepsUp(
  domain: string,
  built: readonly BuiltMigration[],
  rows: readonly LedgerRow[],
  { to, only }: Extent = {},
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

  const asked = only ?? (to === undefined ? [] : [to]);
  const wanted = asked.every((name) => names.has(name)) ? ofBuild : [...ofBuild, ...ofVault];
  for (const name of asked) {
    if (!wanted.some((step) => step.name === name))
      throw new MigrationUnknown(domain, name, wanted.map((step) => step.name).sort());
  }
  return wanted
    .filter((step) => recorded.get(step.name)?.state !== 'applied')
    .filter((step) => (to === undefined || step.name <= to) && (only === undefined || only.includes(step.name)))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** What must go down, newest first: everything applied after `to`, what is listed, or everything. */
export function stepsDown(
  domain: string,
  built: readonly BuiltMigration[],
  rows: readonly LedgerRow[],
  { to, only }: Extent = {},
): readonly PlannedStep[] {
  const applied = rows.filter((row) => row.state === 'applied');
  if (to !== undefined && !applied.some((row) => row.name === to)) {
    throw new MigrationUnknown(
      domain,
      to,
      applied.map((row) => row.name),
    );
  }
  for (const name of only ?? []) {
    if (!rows.some((row) => row.name === name))
      throw new MigrationUnknown(
        domain,
        name,
        rows.map((row) => row.name),
      );
  }
  return applied
    .filter((row) => (to === undefined || row.name > to) && (only === undefined || only.includes(row.name)))
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
