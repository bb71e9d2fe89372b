import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Caller, ControlDatabase, openPool } from '@belay/platform';
import type pg from 'pg';
import { createDatabases, type TestDatabases } from '../support/databases.js';

describe('a use case of the control database', () => {
  const account = randomUUIDv7();
  let databases: TestDatabases;
  let pool: pg.Pool;
  let control: ControlDatabase;
  let replays = 0;

  const caller = (key?: string, requestHash = 'same') =>
    new Caller(
      { accountId: account, username: 'maria', kind: 'person', roles: [], grants: [], requestId: 'r' },
      key === undefined
        ? undefined
        : { key, route: 'POST /runs', domain: 'rollback', requestHash, replayed: () => (replays += 1) },
    );
  const mark = (name: string) => async (client: pg.ClientBase) => {
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO control.marker (id, name, snapshot, ledger) VALUES (gen_random_uuid(), $1, pg_current_snapshot(), '{}') RETURNING id`,
      [name],
    );
    return { id: rows[0]?.id };
  };
  const marks = async (name: string) =>
    (await pool.query(`SELECT FROM control.marker WHERE name = $1`, [name])).rowCount;

  beforeAll(async () => {
    databases = await createDatabases();
    const limits = { max: 5, statementTimeoutMs: 10_000, lockTimeoutMs: 300, applicationName: 'test' };
    pool = openPool(databases.controlUrl, limits);
    control = new ControlDatabase(pool);
  });
  afterAll(async () => {
    await pool.end();
    await databases.drop();
  });

  it('asked for 30 times at once under one key has one effect and one answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => control.transaction(caller('many'), mark('many'))),
    );
    expect(await marks('many')).toBe(1);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(replays).toBe(29);
  });

  it('is done each time without a key', async () => {
    await control.transaction(caller(), mark('keyless'));
    await control.transaction(caller(), mark('keyless'));
    expect(await marks('keyless')).toBe(2);
  });

  it('leaves neither effect nor key when it fails', async () => {
    const failing = async (client: pg.ClientBase) => {
      await mark('failed')(client);
      throw new Error('no');
    };
    await expect(control.transaction(caller('failed'), failing)).rejects.toThrow('no');
    expect(await marks('failed')).toBe(0);
    await control.transaction(caller('failed'), mark('failed'));
    expect(await marks('failed')).toBe(1);
  });

  it('is refused when its key was used for something else', async () => {
    await control.transaction(caller('reused'), mark('reused'));
    await expect(control.transaction(caller('reused', 'other'), mark('reused'))).rejects.toMatchObject({
      slug: 'idempotency-key-reused',
    });
    expect(await marks('reused')).toBe(1);
  });

  it('tells who waits in vain for the first that the first is under way', async () => {
    const first = control.transaction(caller('slow'), async (client) => {
      await sleep(800);
      return mark('slow')(client);
    });
    await sleep(100);
    await expect(control.transaction(caller('slow'), mark('slow'))).rejects.toMatchObject({
      slug: 'request-in-progress',
    });
    await first;
    expect(await marks('slow')).toBe(1);
  });

  it('may have its key again when that has run out', async () => {
    await control.transaction(caller('old'), mark('old'));
    await pool.query(`UPDATE control.idempotency_key SET expires_at = clock_timestamp() WHERE key = 'old'`);
    await control.transaction(caller('old', 'other'), mark('old'));
    expect(await marks('old')).toBe(2);

    await pool.query(`UPDATE control.idempotency_key SET expires_at = clock_timestamp() WHERE key = 'old'`);
    expect(await control.forgetIdempotencyKeys()).toBe(1);
  });

  it('opens one transaction for one key', async () => {
    const by = caller('twice');
    await control.transaction(by, mark('twice'));
    await expect(control.transaction(by, mark('twice'))).rejects.toThrow('more than one transaction');
  });
});
