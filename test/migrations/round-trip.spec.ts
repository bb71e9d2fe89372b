import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type Ledger, migrateDown, migrateUp, migrationStatus } from '@belay/platform';
import { ledgers } from '../../migrations/index.js';
import { type OwnDatabases, withMigratedDatabases } from './databases.js';

/** Everything in a domain's schema: columns, types and every row of every table, view and materialized view. */
async function content({ domain, database }: Ledger, databases: OwnDatabases): Promise<unknown> {
  const query = database === 'control' ? databases.control : databases.query;
  const present = await query(`SELECT FROM pg_namespace WHERE nspname = '${domain}'`);
  if (present.length === 0) return 'no schema';
  // What the control database consists of is written down in itself, anew after every migration.
  const [fingerprints] = await query(`SELECT FROM pg_class WHERE oid = to_regclass('control.schema_fingerprint')`);
  if (fingerprints) await query(`DELETE FROM control.schema_fingerprint WHERE domain = 'control'`);
  return query(`SELECT schema_to_xml_and_xmlschema('${domain}', true, false, '')::text AS xml`);
}

async function withRows(ledger: Ledger, work: (databases: OwnDatabases) => Promise<void>): Promise<void> {
  await withMigratedDatabases(async (databases) => {
    const rows = readFileSync(new URL(`rows/${ledger.domain}.sql`, import.meta.url), 'utf8');
    await (ledger.database === 'control' ? databases.control : databases.query)(rows);
    await work(databases);
  });
}

describe.each(ledgers.map((ledger) => [ledger.domain, ledger] as const))('%s', (domain, ledger) => {
  it('goes down and up again with every row', async () => {
    await withRows(ledger, async (databases) => {
      const before = await content(ledger, databases);

      await migrateDown(databases.targets, ledgers, domain);
      expect(await content(ledger, databases)).toBe('no schema');
      await migrateUp(databases.targets, ledgers, domain);

      expect(await content(ledger, databases)).toEqual(before);
    });
  });

  it('goes down and up again one migration at a time, with every row at each step', async () => {
    await withRows(ledger, async (databases) => {
      const names = (await migrationStatus(databases.targets, ledgers, domain)).map((status) => status.name);
      const at = new Map<string, unknown>();
      for (const [index, name] of [...names.entries()].reverse()) {
        const before = await content(ledger, databases);
        at.set(name, before);
        const steps = await migrateDown(databases.targets, ledgers, domain, { to: names[index - 1] });
        expect(steps.map((step) => step.name)).toEqual([name]);

        await migrateUp(databases.targets, ledgers, domain, { to: name });
        expect(await content(ledger, databases)).toEqual(before);
        await migrateDown(databases.targets, ledgers, domain, { to: names[index - 1] });
      }
      expect(await content(ledger, databases)).toBe('no schema');

      for (const name of names) {
        const steps = await migrateUp(databases.targets, ledgers, domain, { to: name });
        expect(steps.map((step) => step.name)).toEqual([name]);
        expect(await content(ledger, databases)).toEqual(at.get(name));
      }
    });
  }, 120_000);

  it('has a row in every table to go down and up with', async () => {
    await withRows(ledger, async ({ query, control }) => {
      const ask = ledger.database === 'control' ? control : query;
      const tables = await ask(`SELECT tablename AS name FROM pg_tables WHERE schemaname = $1`, [domain]);
      expect(tables.length).toBeGreaterThan(0);
      for (const { name } of tables) {
        const [row] = await ask(`SELECT EXISTS (SELECT FROM "${domain}"."${String(name)}") AS filled`);
        expect({ table: name, ...row }).toEqual({ table: name, filled: true });
      }
    });
  });
});

it('is tested for every domain', () => {
  const missing = ledgers.filter(({ domain }) => !existsSync(new URL(`rows/${domain}.sql`, import.meta.url)));
  expect(missing.map(({ domain }) => domain)).toEqual([]);
});
