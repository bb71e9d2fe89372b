import type { Ledger } from './ledger.js';
import { LedgerTable } from './ledger-table.js';
import { inSession, type MigrationSession } from './session.js';
import { builtOf, databaseOf, ledgersIn, type MigrationTargets, urlOf } from './targets.js';

export interface MigrationStatus {
  readonly domain: string;
  readonly name: string;
  readonly state: 'applied' | 'parked' | 'pending';
  readonly at: Date | null;
  /** `missing`: this build has no such file. `changed`: it has another than the one that was applied. */
  readonly build: 'same' | 'changed' | 'missing';
}

/** Every migration that the build or the ledgers know, of one domain or of all. Changes nothing. */
export async function migrationStatus(
  targets: MigrationTargets,
  ledgers: readonly Ledger[],
  domain?: string,
): Promise<readonly MigrationStatus[]> {
  const statuses: MigrationStatus[] = [];
  for (const database of ['control', 'application'] as const) {
    await inSession(urlOf(targets, database), async (session) => {
      const present = database === 'application' ? await ledgersIn(session) : [];
      const listed = ledgers.filter((ledger) => ledger.database === database).map((ledger) => ledger.domain);
      for (const name of new Set([...listed, ...present])) {
        if (domain === undefined || domain === name) statuses.push(...(await statusOf(session, ledgers, name)));
      }
    });
  }
  if (domain !== undefined && statuses.length === 0) await databaseOf(targets, ledgers, domain);
  return statuses;
}

async function statusOf(
  session: MigrationSession,
  ledgers: readonly Ledger[],
  domain: string,
): Promise<MigrationStatus[]> {
  const rows = new Map((await new LedgerTable(session, domain).rows()).map((row) => [row.name, row]));
  const built = new Map(builtOf(ledgers, domain).map((one) => [one.name, one.checksum]));
  return [...new Set([...built.keys(), ...rows.keys()])].sort().map((name) => {
    const row = rows.get(name);
    const checksum = built.get(name);
    const build = checksum === undefined ? 'missing' : row && row.checksum !== checksum ? 'changed' : 'same';
    return { domain, name, state: row?.state ?? 'pending', at: row?.at ?? null, build };
  });
}
