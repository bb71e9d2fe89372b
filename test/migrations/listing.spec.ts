import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { domains } from '@belay/domains';
import checksums from '../../migrations/checksums.json' with { type: 'json' };
import { ledgers } from '../../migrations/index.js';
import { LONGEST_NAME } from '../../migrations/support/park.js';
import { withMigratedDatabases } from './databases.js';
import { fileNameOf } from './ledgers.js';

const folder = new URL('../../migrations/', import.meta.url);

/** `domain/name` of every file in the folders of migrations. */
const files = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'support')
  .flatMap(({ name }) => readdirSync(new URL(`${name}/`, folder)).map((file) => `${name}/${file.replace(/\.ts$/, '')}`))
  .sort();

describe('the list of migrations', () => {
  it('has every file, and nothing else', () => {
    const listed = ledgers.flatMap(({ domain, migrations }) =>
      migrations.map((one) => `${domain}/${fileNameOf(one.name)}`),
    );
    expect(listed.sort()).toEqual(files);
  });

  it('has every domain, after the platform and in the order in which they stand on each other', () => {
    // Everything that rollback remembers is in the control database.
    const known = [
      'control',
      'platform',
      ...domains.map((domain) => domain.name).filter((name) => name !== 'rollback'),
    ];
    const listed = ledgers.map((ledger) => ledger.domain);
    expect(listed).toEqual(known);
  });

  it('is in the order of the names, so that a name says when it runs', () => {
    for (const { domain, migrations } of ledgers) {
      const names = migrations.map((one) => fileNameOf(one.name));
      expect({ domain, names }).toEqual({ domain, names: names.toSorted() });
    }
  });

  it('names no feature that its domain does not have', () => {
    for (const { domain, migrations } of ledgers) {
      const features = domains.find(({ name }) => name === domain)?.features.map(({ flag }) => flag) ?? [];
      const named = migrations.flatMap((one) => new one().feature ?? []);
      expect({ domain, strange: named.filter((flag) => !features.includes(flag)) }).toEqual({ domain, strange: [] });
    }
  });

  it('has the checksum of every file as it is now', () => {
    const script = fileURLToPath(new URL('../../apps/cli/bin/checksums.mjs', import.meta.url));
    const check = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect(check).toMatchObject({ status: 0, stderr: '' });
    expect(Object.keys(checksums).sort()).toEqual(files);
  });
});

describe('every table', () => {
  it('has a primary key', async () => {
    await withMigratedDatabases(async ({ query, control }) => {
      const keyless = `
        SELECT c.oid::regclass::text AS table FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
          AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)`;
      expect([...(await query(keyless)), ...(await control(keyless))]).toEqual([]);
      await query(`CREATE TABLE public.keyless (id integer)`);
      expect(await query(keyless)).toEqual([{ table: 'keyless' }]);
    });
  });

  it('and everything else that can be parked has a name that the suffix fits behind', async () => {
    await withMigratedDatabases(async ({ query, control }) => {
      const names = `
        SELECT n.nspname AS name FROM pg_namespace n WHERE n.nspname !~ '^(pg_|information_schema$|public$)'
        UNION SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname !~ '^(pg_|information_schema$|public$)' AND c.relkind IN ('r', 'p', 'v', 'm')
        UNION SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname !~ '^(pg_|information_schema$|public$)' AND c.relkind IN ('r', 'p') AND a.attnum > 0`;
      const found = [...(await query(names)), ...(await control(names))].map((row) => String(row['name']));
      expect(found).toContain('outbox');
      expect(found.filter((name) => Buffer.byteLength(name) > LONGEST_NAME)).toEqual([]);
    });
  });
});
