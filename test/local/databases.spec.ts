import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createDatabases } from '../support/databases.js';

describe('the databases of a suite', () => {
  it('are cloned from migrated templates, also when many suites ask at once', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => createDatabases()));
    for (const { databaseUrl, controlUrl } of all) {
      expect(await tables(databaseUrl, 'platform')).toContain('outbox');
      expect(await tables(controlUrl, 'control')).toContain('flag_override');
    }
    await Promise.all(all.map((databases) => databases.drop()));
  });
});

async function tables(url: string, schema: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    'SELECT tablename AS name FROM pg_tables WHERE schemaname = $1',
    [schema],
  );
  await client.end();
  return rows.map(({ name }) => name);
}
