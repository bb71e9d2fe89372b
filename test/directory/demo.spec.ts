import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { demoAccounts, loadDemo } from '../../apps/cli/src/demo/load-demo.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';

describe('the demo company', () => {
  let databases: TestDatabases;
  let client: pg.Client;
  let loaded: boolean[];

  const count = async (sql: string) => {
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${sql}`);
    return Number(rows[0]?.count);
  };

  beforeAll(async () => {
    databases = await createDatabases();
    client = new pg.Client({ connectionString: databases.databaseUrl });
    await client.connect();
    loaded = await Promise.all([1, 2].map(() => loadDemo(databases.databaseUrl, 'test')));
  });
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });

  it('is loaded once, also when two start at the same time', async () => {
    expect(loaded.sort()).toEqual([false, true]);
    expect(await count('directory.site')).toBe(3);
  });

  it('has the people, teams and stays of its source', async () => {
    expect(await count(`directory.account WHERE employee_no IS NOT NULL`)).toBe(290);
    expect(await count('directory.team')).toBe(16);
    expect(await count('directory.team_member')).toBe(296);
    expect(await count('directory.team_member WHERE removed_at IS NULL')).toBe(290);
    expect(await count('directory.public_team_member WHERE active')).toBe(290);
    const { rows } = await client.query(
      `SELECT t.name, count(*)::integer AS people FROM directory.team t JOIN directory.team_member m ON m.team_id = t.id
       WHERE m.removed_at IS NULL GROUP BY t.name ORDER BY people DESC, t.name LIMIT 3`,
    );
    expect(rows).toEqual([
      { name: 'Production', people: 179 },
      { name: 'Sales', people: 18 },
      { name: 'Purchasing', people: 12 },
    ]);
  });

  it('works the shifts of its source at each site', async () => {
    const { rows } = await client.query(
      `SELECT h.code, starts::text, ends::text, count(*)::integer AS sites FROM directory.shift h
       GROUP BY h.code, starts, ends ORDER BY starts`,
    );
    expect(rows).toEqual([
      { code: 'morning', starts: '07:00:00', ends: '15:00:00', sites: 3 },
      { code: 'evening', starts: '15:00:00', ends: '23:00:00', sites: 3 },
      { code: 'night', starts: '23:00:00', ends: '07:00:00', sites: 3 },
    ]);
  });

  it('gives everybody one role at the site where they work, and passwords to five', async () => {
    expect(await count('directory.account_role WHERE site_id IS NOT NULL')).toBe(290);
    expect(await count('directory.account_role WHERE site_id IS NULL')).toBe(
      demoAccounts.flatMap(({ roles }) => roles).length,
    );
    expect(await count('directory.password')).toBe(5);
  });

  it('takes no time when it is there', async () => {
    const began = performance.now();
    expect(await loadDemo(databases.databaseUrl, 'development')).toBe(false);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('is not loaded beside other people', async () => {
    const inhabited = await createDatabases();
    const own = new pg.Client({ connectionString: inhabited.databaseUrl });
    await own.connect();
    try {
      await own.query(
        `INSERT INTO directory.account (id, kind, username, display_name, row_version)
         VALUES (gen_random_uuid(), 'person', 'somebody', 'Some Body', 1)`,
      );
      expect(await loadDemo(inhabited.databaseUrl, 'development')).toBe(false);
      const { rowCount } = await own.query(`SELECT FROM directory.account`);
      expect(rowCount).toBe(1);
    } finally {
      await own.end();
      await inhabited.drop();
    }
  });

  it('does not go into production', async () => {
    await expect(loadDemo(databases.databaseUrl, 'production')).rejects.toThrow(/production/);
  });
});
