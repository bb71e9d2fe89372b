import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { databaseRestore } from '../../libs/rollback/src/restores/database.restore.action.js';
import { damage, silentDamage, YardRoom } from './yard-room.js';

/** The databases of this test on the server, by what they are called after its own. */
async function databasesOf(yard: YardRoom): Promise<string[]> {
  const live = new URL(yard.room.databases.databaseUrl).pathname.slice(1);
  const rows = await yard.room.control<{ name: string }>(
    `SELECT datname AS name FROM pg_database WHERE datname LIKE $1 || '%' AND datname NOT LIKE '%control' ORDER BY 1`,
    [live],
  );
  return rows.map(({ name }) => name.replace(live, '').replace(/[0-9a-f]{8}$/, ''));
}

const dropped = async (yard: YardRoom) => {
  const live = new URL(yard.room.databases.databaseUrl).pathname.slice(1);
  const kept = await yard.room.control<{ name: string }>(
    `SELECT datname AS name FROM pg_database WHERE datname LIKE $1 || '\\_failed\\_%' OR datname LIKE $1 || '\\_undone\\_%'`,
    [live],
  );
  for (const { name } of kept) await yard.room.control(`DROP DATABASE ${name} WITH (FORCE)`);
};

describe('the whole database as it was in a backup', () => {
  let yard: YardRoom;
  beforeEach(async () => {
    yard = await YardRoom.open();
  });
  afterEach(async () => {
    await dropped(yard);
    await yard.close();
  });

  it('is what it was, while the one before is kept, and the memory of it all goes on', async () => {
    const before = await yard.content();
    const [fence] = await yard.room.rows(`SELECT * FROM platform.fence ORDER BY scope`);
    const backupId = await yard.backUp('application');
    await yard.room.rows(damage);
    await yard.room.rows(silentDamage);
    await yard.room.rows(`INSERT INTO platform.outbox (name, body, domain) VALUES ('yard.moved', '{}', 'yard')`);
    await yard.room.rows(
      `INSERT INTO platform.step_marker (step_key, run_id, epoch) VALUES ('earlier', gen_random_uuid(), 1)`,
    );
    const damaged = await yard.content();

    const step = await yard.room.step(databaseRestore, { backupId });
    expect(await step.inspect()).toMatchObject({
      level: 4,
      lost: { facts: [{ name: 'yard.moved', count: 1 }], tables: [{ table: 'yard.bay', changes: 2 }, {}, {}] },
      leftOut: ['board'],
    });
    expect(await yard.content()).toEqual(damaged);
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });

    const { pauseMs } = await step.execute();
    console.info(`R5: writes stopped for ${JSON.stringify(pauseMs)} ms`);
    expect(pauseMs).toBeLessThan(5_000);
    expect(await yard.content()).toEqual(before);
    expect(await step.verify()).toMatchObject({
      outcome: 'pass',
      facts: { swapped: true, different: [], writtenSince: [] },
    });
    expect(await yard.room.rows(`SELECT * FROM platform.fence ORDER BY scope`)).toContainEqual(fence);
    expect(await yard.room.rows(`SELECT FROM platform.step_marker WHERE step_key = 'earlier'`)).toHaveLength(1);
    expect(await databasesOf(yard)).toEqual(['', '_failed_']);
    expect(await yard.room.control(`SELECT flag, off FROM control.flag_override`)).toEqual([
      { flag: 'platform_writes', off: false },
    ]);
    expect(await yard.room.control(`SELECT kind, domain FROM control.failed_copy WHERE taken_back_at IS NULL`)).toEqual(
      [{ kind: 'database', domain: null }],
    );
    expect(await yard.room.rows(`SHOW search_path`)).toEqual([{ search_path: expect.stringContaining('yard') }]);

    step.forget();
    expect(await step.reconcile()).toMatchObject({ effect: 'done', result: { backupId } });
    expect(await step.execute()).toMatchObject({ backupId });
    expect(await yard.content()).toEqual(before);

    await yard.room.rows(`INSERT INTO yard.journal (said) VALUES ('written since')`);
    step.forget();
    expect(await step.compensate()).toMatchObject({ undone: true });
    expect(await yard.content()).toEqual(damaged);
    expect(await yard.seen()).toHaveLength(1);
    expect(await databasesOf(yard)).toEqual(['', '_undone_']);
    expect(await step.compensate()).toMatchObject({ undone: true });
    expect(await yard.content()).toEqual(damaged);
    expect(await yard.room.control(`SELECT off FROM control.flag_override`)).toEqual([{ off: false }]);
  });

  it('leaves writes stopped that somebody else had stopped', async () => {
    const backupId = await yard.backUp('application');
    await yard.room.control(
      `SELECT control.override_flag('live', 'platform_writes', true, 'all is wrong', 'somebody')`,
    );
    const step = await yard.room.step(databaseRestore, { backupId });
    await step.execute();
    expect(await yard.room.control(`SELECT off, actor FROM control.flag_override`)).toEqual([
      { off: true, actor: 'somebody' },
    ]);
  });

  it('gets past clients that hold on to the old one, and past those that come while names are exchanged', async () => {
    const backupId = await yard.backUp('application');
    const url = yard.room.databases.databaseUrl;
    const holding = new pg.Client({ connectionString: url });
    holding.on('error', () => undefined);
    await holding.connect();
    await holding.query('BEGIN; LOCK TABLE yard.truck');
    let stop = false;
    const refusals: string[] = [];
    let connected = 0;
    const coming = Array.from({ length: 4 }, async () => {
      while (!stop) {
        const client = new pg.Client({ connectionString: url });
        client.on('error', () => undefined);
        await client
          .connect()
          .then(() => client.query('SELECT count(*) FROM yard.truck'))
          .then(() => (connected += 1))
          .catch((error: unknown) =>
            refusals.push(error instanceof pg.DatabaseError ? (error.code ?? '') : String(error)),
          );
        await client.end().catch(() => undefined);
      }
    });
    const step = await yard.room.step(databaseRestore, { backupId });
    // Everybody who only reads waits for that lock, until its session is ended.
    await step.execute().finally(() => (stop = true));
    await Promise.all(coming);
    await holding.end().catch(() => undefined);
    expect(connected).toBeGreaterThan(0);
    // Ended by an administrator, or the name was somebody else's in that moment.
    expect(refusals.filter((code) => !/^(57P01|3D000|Error: Connection terminated)/.test(code))).toEqual([]);
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
  });

  it('is not made of a backup of less, nor of one that was not proven', async () => {
    const part = await yard.room.step(databaseRestore, { backupId: await yard.backUp() });
    await expect(part.execute()).rejects.toMatchObject({ slug: 'restore-refused' });
    const backupId = await yard.backUp('application');
    await yard.room.control(`UPDATE control.backup SET level = 2, state = 'complete'`);
    const weak = await yard.room.step(databaseRestore, { backupId });
    await expect(weak.execute()).rejects.toMatchObject({ slug: 'backup-too-weak' });
    expect(await databasesOf(yard)).toEqual(['']);
    expect(await yard.room.control(`SELECT FROM control.flag_override`)).toEqual([]);
  });
});
