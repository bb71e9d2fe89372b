import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { directory } from '@belay/directory';
import { migrateDown, migrateUp } from '@belay/platform';
import { startApi, type RunningApi } from '../../apps/api/src/api.js';
import { fingerprintNow, fingerprintRecorded } from '../../libs/rollback/src/actions/schema.queries.js';
import { databaseRestore } from '../../libs/rollback/src/restores/database.restore.action.js';
import { eventually } from '../support/eventually.js';
import { slowness } from '../support/slowness.js';
import { yard as yardDomain } from './yard.js';
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

// A busy machine takes its time.
jest.setTimeout(120_000);

describe('the whole database as it was in a backup', () => {
  let yard: YardRoom;
  beforeEach(async () => {
    yard = await YardRoom.open();
  });
  afterEach(async () => {
    await yard.dropKept();
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

  it('leaves writes stopped that somebody else had stopped, and is measured by its own migrations', async () => {
    const { world } = yard.room;
    const drifted = async () =>
      (await fingerprintNow(world, 'yard')) !== (await fingerprintRecorded(world, 'yard')) ? ['yard'] : [];
    await migrateDown(world.targets, world.ledgers, 'yard', { only: ['1764009100000-create-visit'] });
    const backupId = await yard.backUp('application');
    await migrateUp(world.targets, world.ledgers, 'yard');
    await yard.room.control(
      `SELECT control.override_flag('live', 'platform_writes', true, 'all is wrong', 'somebody')`,
    );
    const step = await yard.room.step(databaseRestore, { backupId });
    await step.execute();
    expect(await yard.room.control(`SELECT off, actor FROM control.flag_override`)).toEqual([
      { off: true, actor: 'somebody' },
    ]);
    expect(await yard.room.rows(`SELECT state FROM public.yard_migrations ORDER BY name`)).toEqual([
      { state: 'applied' },
      { state: 'parked' },
    ]);
    expect(await drifted()).toEqual([]);
    await step.compensate();
    expect(await drifted()).toEqual([]);
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

/** Somebody who asks an API one thing after the other, and notes when it was refused. */
class Client {
  readonly answers: { readonly at: number; readonly status: number; readonly code: string }[] = [];
  #stop = false;
  readonly #done: Promise<void>;

  constructor(
    private readonly method: 'GET' | 'POST',
    private readonly url: string,
  ) {
    this.#done = this.run();
  }

  get refusals() {
    return this.answers.filter(({ status }) => status >= 300);
  }

  /** From the last good answer before the first refusal to the first good one after the last. */
  get gapMs(): number {
    const good = this.answers.filter(({ status }) => status < 300).map(({ at }) => at);
    return Math.max(...good.map((at, place) => at - (good[place - 1] ?? at)));
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await this.#done;
  }

  private async run(): Promise<void> {
    while (!this.#stop) {
      const response = await fetch(this.url, { method: this.method });
      const { code = '' } = z.object({ code: z.string().optional() }).parse(await response.json());
      this.answers.push({ at: performance.now(), status: response.status, code });
      await sleep(2);
    }
  }
}

describe('an API while the whole database is exchanged', () => {
  let yard: YardRoom;
  let api: RunningApi | undefined;
  beforeEach(async () => {
    yard = await YardRoom.open({ on: ['enable_yard'] });
    api = await startApi({ config: yard.room.config, domains: [directory, yardDomain] });
  });
  afterEach(async () => {
    await api?.close();
    await yard.dropKept();
    await yard.close();
  });

  it('refuses writes for a moment, and says so; before and after it goes on', async () => {
    const backupId = await yard.backUp('application');
    const url = api?.url ?? '';
    const writer = new Client('POST', `${url}/api/yard/journal`);
    const reader = new Client('GET', `${url}/api/yard/trucks`);
    const step = await yard.room.step(databaseRestore, { backupId });
    await step.execute();
    const swapped = performance.now();
    await eventually(() => {
      for (const { answers } of [writer, reader]) {
        expect(answers.filter(({ at, status }) => at > swapped && status < 300).length).toBeGreaterThan(20);
      }
    });
    await Promise.all([writer.stop(), reader.stop()]);
    const pauseMs = Math.round(writer.gapMs);
    console.info(
      `R5: nobody could write for ${pauseMs} ms, nobody read for ${Math.round(reader.gapMs)} ms; ` +
        `${writer.refusals.length} writes and ${reader.refusals.length} reads were refused of ${writer.answers.length} and ${reader.answers.length}`,
    );
    expect(writer.refusals.filter(({ status }) => status !== 503)).toEqual([]);
    expect(new Set(writer.refusals.map(({ code }) => code))).toContain('read-only');
    expect(reader.refusals.filter(({ status }) => status !== 503)).toEqual([]);
    expect(pauseMs).toBeLessThan(2_000 * slowness());
    // It wrote until the pause, and what it wrote is in the failed database.
    const { lost } = z.object({ lost: z.object({ tables: z.array(z.unknown()) }) }).parse(step.result);
    expect(lost.tables).toEqual([]);
    const before = writer.answers.filter(({ at, status }) => status === 201 && at < (writer.refusals[0]?.at ?? 0));
    expect(before.length).toBeGreaterThan(0);
    expect(await yard.room.rows(`SELECT count(*)::integer AS entries FROM yard.journal`)).toEqual([
      { entries: 20 + writer.answers.filter(({ status }) => status === 201).length - before.length },
    ]);
  });
});
