import { createHash } from 'node:crypto';
import { z } from 'zod';
import { catalogFingerprint } from './catalog.js';
import { LedgerTable } from './ledger-table.js';
import type { MigrationSession } from './session.js';

/**
 * Keeps in the control database what the schema of a domain consists of after its migrations. It is written anew only
 * when migrations ran, also those of a runner that was killed before it could: what anybody else changes is drift.
 */
export async function recordFingerprint(
  domain: string,
  session: MigrationSession,
  control: MigrationSession,
  changed: boolean,
): Promise<void> {
  const [known] = await control.rows(
    z.object({ found: z.boolean() }),
    `SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('control.schema_fingerprint')
                    AND attname = 'ledger_sha256') AS found`,
  );
  // The control database may be behind while it is being migrated itself.
  if (known?.found !== true) return;
  const ledger = await ledgerHash(domain, session);
  if (!changed && (await ledgerRecorded(domain, control)) === ledger) return;
  const { sha256, catalog } = await catalogFingerprint(await session.client(), domain);
  await control.runner.query(
    `INSERT INTO control.schema_fingerprint (domain, sha256, catalog, ledger_sha256) VALUES ($1, $2, $3::jsonb, $4)
     ON CONFLICT (domain) DO UPDATE SET sha256 = excluded.sha256, catalog = excluded.catalog,
       ledger_sha256 = excluded.ledger_sha256, at = clock_timestamp()`,
    [domain, sha256, JSON.stringify(catalog), ledger],
  );
}

async function ledgerRecorded(domain: string, control: MigrationSession): Promise<string | null> {
  const [row] = await control.rows(
    z.object({ ledger: z.string().nullable() }),
    `SELECT ledger_sha256 AS ledger FROM control.schema_fingerprint WHERE domain = $1`,
    [domain],
  );
  return row?.ledger ?? null;
}

/** Of which migrations are applied and parked, and of nothing else. */
async function ledgerHash(domain: string, session: MigrationSession): Promise<string> {
  const rows = await new LedgerTable(session, domain).rows();
  const lines = rows.map(({ name, checksum, state }) => `${name} ${checksum} ${state}`);
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
