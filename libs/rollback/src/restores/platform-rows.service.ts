import { createLedgerTable } from '@belay/platform';
import pg from 'pg';
import type { OpenBackup } from '../backups/open-backup.js';
import { qualified, quoted } from './restored-table.queries.js';

/** Rows of the platform that name the domain they belong to. */
const named = ['inbox', 'idempotency_key'] as const;

const aside = (table: string) => `belay_former_${table}`;

/**
 * What the platform keeps for a domain, to what the backup has of it; what was there is put aside into the schema.
 * Answers the facts whose marks went away: they are to be delivered again.
 */
export async function replacePlatformRows(
  client: pg.ClientBase,
  backup: OpenBackup,
  domain: string,
  into: string,
): Promise<readonly string[]> {
  for (const table of named) {
    await putAside(client, domain, table, into);
    const backed = backup.table('platform', table);
    if (!backed) continue;
    await client.query(`CREATE TEMPORARY TABLE former_${table} (LIKE platform.${table}) ON COMMIT DROP`);
    await backup.copyInto(client, backed, { schema: 'pg_temp', table: `former_${table}` });
    await client.query(
      `INSERT INTO platform.${table} (${quoted(backed.columns)})
       SELECT ${quoted(backed.columns)} FROM pg_temp.former_${table} WHERE domain = $1`,
      [domain],
    );
  }
  await putLedgerAside(client, domain, into);
  const lines = backup.manifest.ledger.filter((line) => line.domain === domain);
  await client.query(
    `INSERT INTO ${ledgerOf(domain)} (name, checksum, state, at)
     SELECT name, checksum, state, at
     FROM jsonb_to_recordset($1) AS line (name text, checksum text, state text, at timestamptz)`,
    [JSON.stringify(lines)],
  );
  const { rows } = await client.query<{ id: string }>(
    `SELECT DISTINCT f.event_id AS id FROM ${qualified({ schema: into, name: aside('inbox') })} f
     WHERE NOT EXISTS (SELECT FROM platform.inbox i WHERE i.consumer = f.consumer AND i.event_id = f.event_id) ORDER BY 1`,
  );
  return rows.map(({ id }) => id);
}

/** As the schema `from` has them, which has to have been made by `replacePlatformRows`; what is there goes into `into`. */
export async function putPlatformRowsBack(
  client: pg.ClientBase,
  domain: string,
  from: string,
  into: string,
): Promise<void> {
  for (const table of named) {
    await putAside(client, domain, table, into, 'belay_later_');
    await client.query(
      `INSERT INTO platform.${table} SELECT * FROM ${qualified({ schema: from, name: aside(table) })}`,
    );
  }
  await putLedgerAside(client, domain, into, 'belay_later_');
  await client.query(
    `INSERT INTO ${ledgerOf(domain)} SELECT * FROM ${qualified({ schema: from, name: aside('ledger') })}`,
  );
  // They are part of what was put aside, not of the domain.
  for (const table of [...named, 'ledger']) {
    await client.query(
      `ALTER TABLE ${qualified({ schema: from, name: aside(table) })} SET SCHEMA ${pg.escapeIdentifier(into)}`,
    );
  }
}

async function putAside(
  client: pg.ClientBase,
  domain: string,
  table: string,
  into: string,
  prefix = 'belay_former_',
): Promise<void> {
  await client.query(`CREATE TABLE ${qualified({ schema: into, name: `${prefix}${table}` })} (LIKE platform.${table})`);
  await client.query(
    `WITH gone AS (DELETE FROM platform.${table} WHERE domain = $1 RETURNING *)
     INSERT INTO ${qualified({ schema: into, name: `${prefix}${table}` })} SELECT * FROM gone`,
    [domain],
  );
}

async function putLedgerAside(
  client: pg.ClientBase,
  domain: string,
  into: string,
  prefix = 'belay_former_',
): Promise<void> {
  const table = qualified({ schema: into, name: `${prefix}ledger` });
  await client.query(createLedgerTable(table));
  await client.query(
    `WITH gone AS (DELETE FROM ${ledgerOf(domain)} RETURNING name, checksum, state, at)
     INSERT INTO ${table} (name, checksum, state, at) SELECT name, checksum, state, at FROM gone`,
  );
}

function ledgerOf(domain: string): string {
  return qualified({ schema: 'public', name: `${domain}_migrations` });
}
