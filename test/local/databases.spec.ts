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

  it('find tables without their schema, as the real ones do', async () => {
    const databases = await createDatabases();
    expect(await rows(databases.databaseUrl, 'SELECT count(*)::int AS count FROM outbox')).toEqual([{ count: 0 }]);
    await databases.drop();
  });

  it('are dropped under the feet of whoever is still connected', async () => {
    const databases = await createDatabases();
    const client = new pg.Client({ connectionString: databases.databaseUrl });
    client.on('error', () => undefined);
    await client.connect();
    await databases.drop();
    await expect(rows(databases.databaseUrl, 'SELECT 1')).rejects.toThrow('does not exist');
  });
});

async function tables(url: string, schema: string): Promise<unknown[]> {
  const found = await rows(url, 'SELECT tablename FROM pg_tables WHERE schemaname = $1', [schema]);
  return found.map(({ tablename }) => tablename);
}

async function rows(url: string, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql, values)).rows;
  } finally {
    await client.end();
  }
}
