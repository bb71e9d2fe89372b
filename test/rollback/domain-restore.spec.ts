import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { z } from 'zod';
import { domainRestore } from '../../libs/rollback/src/restores/domain.restore.action.js';
import { eventually } from '../support/eventually.js';
import { damage, silentDamage, YardRoom } from './yard-room.js';

/** Somebody who reads all the time, on a connection and with statements of their own. */
class Reader {
  reads = 0;
  longestGapMs = 0;
  readonly errors: unknown[] = [];
  #stop = false;
  readonly #done: Promise<void>;

  constructor(url: string, sql: string) {
    this.#done = this.run(url, sql);
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await this.#done;
  }

  private async run(url: string, sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    let last = performance.now();
    while (!this.#stop) {
      await client.query({ name: 'read', text: sql }).catch((error: unknown) => this.errors.push(error));
      const now = performance.now();
      this.longestGapMs = Math.max(this.longestGapMs, now - last);
      last = now;
      this.reads += 1;
    }
    await client.end();
  }
}

// A busy machine takes its time.
jest.setTimeout(120_000);

describe('one domain as it was in a backup', () => {
  let yard: YardRoom;
  beforeEach(async () => {
    yard = await YardRoom.open();
  });
  afterEach(() => yard.close());

  it('is what it was to the last row, and nothing else has moved', async () => {
    const [before, seen, elsewhere] = [await yard.content(), await yard.seen(), await yard.elsewhere()];
    const backupId = await yard.backUp();
    await yard.room.rows(damage);
    await yard.room.rows(silentDamage);
    const damaged = await yard.content();

    const step = await yard.room.step(domainRestore, { domain: 'yard', backupId });
    expect(await step.inspect()).toMatchObject({
      refusals: [],
      dependents: ['board.truck', 'board.plate', 'board.mv_plate'],
    });
    const { failed, report } = await step.execute();
    expect(await yard.content()).toEqual(before);
    expect(await yard.seen()).toEqual(seen);
    expect(await yard.elsewhere()).toEqual(elsewhere);
    expect(await yard.content(z.string().parse(failed))).toEqual(damaged);
    expect(await step.verify()).toMatchObject({ outcome: 'pass', facts: { different: [], restOnFailed: [] } });
    expect(report).toMatchObject({
      tables: [
        { table: 'yard.bay', onlyFormer: 1, onlyPresent: 0, changed: 1 },
        { table: 'yard.journal', onlyFormer: 0, onlyPresent: 7, changed: 3 },
        { table: 'yard.truck', onlyFormer: 1, onlyPresent: 10, changed: 13 },
        { table: 'yard.visit', onlyFormer: 0, onlyPresent: 40, changed: 0 },
      ],
    });
    expect(await yard.room.control(`SELECT kind, object, domain FROM control.failed_copy`)).toEqual([
      { kind: 'schema', object: failed, domain: 'yard' },
    ]);
    expect(await yard.room.rows(`INSERT INTO yard.journal (said) VALUES ('on') RETURNING no`)).toEqual([{ no: '520' }]);
    expect(
      await yard.room.rows(`SELECT 1 AS one FROM pg_description WHERE description = 'what people look at'`),
    ).toEqual([{ one: 1 }]);
    await yard.room.rows(`REFRESH MATERIALIZED VIEW CONCURRENTLY board.mv_plate`);
  });

  it('is the damaged one again when it is taken back, with all that rests on it', async () => {
    const backupId = await yard.backUp();
    await yard.room.rows(`INSERT INTO platform.inbox (consumer, event_id, domain) VALUES ('yard.x', 7, 'yard')`);
    await yard.room.rows(damage);
    const [damaged, seen, elsewhere] = [await yard.content(), await yard.seen(), await yard.elsewhere()];
    const step = await yard.room.step(domainRestore, { domain: 'yard', backupId });
    const { report } = await step.execute();
    expect(report).toMatchObject({ redelivered: ['7'] });
    expect(await yard.room.rows(`SELECT * FROM platform.inbox WHERE domain = 'yard'`)).toEqual([]);
    await yard.room.rows(`INSERT INTO yard.journal (said) VALUES ('written since')`);
    step.forget();
    await step.compensate();
    await step.compensate();
    expect(await yard.content()).toEqual(damaged);
    expect(await yard.seen()).toEqual(seen);
    expect(await yard.elsewhere()).toEqual(elsewhere);
    expect(await yard.room.rows(`SELECT event_id FROM platform.inbox WHERE domain = 'yard'`)).toEqual([
      { event_id: '7' },
    ]);
    expect(await yard.room.rows(`SELECT name, state FROM public.yard_migrations ORDER BY 1`)).toHaveLength(2);
    const [kept] = await yard.room.control<{ object: string }>(
      `SELECT object FROM control.failed_copy WHERE taken_back_at IS NULL`,
    );
    expect(kept?.object).toMatch(/^yard__undone_[0-9a-f]{8}$/);
    expect(await yard.room.rows(`SELECT FROM ${kept?.object ?? ''}.journal WHERE said = 'written since'`)).toHaveLength(
      1,
    );
    expect(await yard.room.rows(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'yard%' ORDER BY 1`)).toEqual([
      { nspname: 'yard' },
      { nspname: kept?.object },
    ]);
  });

  it('is there once, and not at all where nothing was committed', async () => {
    const backupId = await yard.backUp();
    await yard.room.rows(damage);
    const step = await yard.room.step(domainRestore, { domain: 'yard', backupId });
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    expect(await step.compensate()).toEqual({ undone: false });
    const first = await step.execute();
    await yard.room.control(`DELETE FROM control.failed_copy`);
    step.forget();
    expect(await step.reconcile()).toEqual({ effect: 'done', result: first });
    expect(await yard.room.control(`SELECT FROM control.failed_copy`)).toHaveLength(1);
    expect(await step.execute()).toEqual(first);
  });

  it('is read all the time while it is replaced, by plain and by prepared statements', async () => {
    const big = await YardRoom.open({ bays: 50, trucks: 6_000 });
    try {
      const backupId = await big.backUp();
      await big.room.rows(damage);
      const url = big.room.databases.databaseUrl;
      const readers = [
        new Reader(url, `SELECT count(*) FROM yard.bay WHERE code LIKE 'BAY%'`),
        new Reader(url, `SELECT plate FROM yard.truck WHERE id = 20`),
        new Reader(url, `SELECT count(*) FROM board.plate WHERE plate = 'PL 20'`),
        new Reader(url, `SELECT long FROM board.mv_plate WHERE plate = 'PL 20'`),
      ];
      await eventually(() => {
        for (const { reads } of readers) expect(reads).toBeGreaterThan(10);
      });
      const step = await big.room.step(domainRestore, { domain: 'yard', backupId });
      const began = performance.now();
      await step.execute();
      const ms = performance.now() - began;
      await Promise.all(readers.map((reader) => reader.stop()));
      expect(readers.flatMap(({ errors }) => errors)).toEqual([]);
      const [bays, trucks, views, copies] = readers.map(({ longestGapMs }) => Math.round(longestGapMs));
      const reads = readers.reduce((sum, one) => sum + one.reads, 0);
      console.info(
        `R4 of 12,000 rows: ${Math.round(ms)} ms, ${reads} reads, longest gaps ${[bays, trucks, views, copies].join(', ')} ms`,
      );
      // Whoever reads the domain itself never waits for the copy.
      expect(Math.max(bays ?? 0, trucks ?? 0)).toBeLessThan(ms / 2);
    } finally {
      await big.close();
    }
  });

  it('is refused while something rests on it that cannot be made anew, and changes nothing', async () => {
    const backupId = await yard.backUp();
    await yard.room.rows(
      `CREATE TABLE board.note (bay_id uuid CONSTRAINT note_is_about_a_bay REFERENCES yard.bay (id))`,
    );
    const step = await yard.room.step(domainRestore, { domain: 'yard', backupId });
    const refusals = ['constraint note_is_about_a_bay on table board.note'];
    await expect(step.execute()).rejects.toMatchObject({ slug: 'restore-refused', members: { refusals } });
    expect((await step.inspect())['refusals']).toHaveLength(1);
    expect(await yard.room.rows(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'yard%'`)).toHaveLength(1);
  });

  it('is not made of a backup that was not proven, or that has nothing of it', async () => {
    const backupId = await yard.backUp();
    await yard.room.control(`UPDATE control.backup SET level = 3, state = 'restored'`);
    const weak = await yard.room.step(domainRestore, { domain: 'yard', backupId });
    await expect(weak.execute()).rejects.toMatchObject({ slug: 'backup-too-weak', members: { level: 3 } });
    const other = await yard.room.step(domainRestore, { domain: 'directory', backupId: await yard.backUp() });
    await expect(other.execute()).rejects.toMatchObject({ slug: 'restore-refused' });
  });

  it('keeps what was granted by hand', async () => {
    const backupId = await yard.backUp();
    await yard.room.rows(`GRANT USAGE ON SCHEMA yard TO PUBLIC; GRANT SELECT ON yard.truck TO PUBLIC`);
    const granted = () =>
      yard.room.rows(
        `SELECT has_table_privilege('public', 'yard.truck', 'SELECT') AS reads, nspacl::text FROM pg_namespace WHERE nspname = 'yard'`,
      );
    const before = await granted();
    await (await yard.room.step(domainRestore, { domain: 'yard', backupId })).execute();
    expect(await granted()).toEqual(before);
  });
});
