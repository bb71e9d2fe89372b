import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { domains } from '@belay/domains';
import { migrateDown, migrateUp } from '@belay/platform';
import pg from 'pg';
import { apiStages } from '../../apps/api/src/stages.js';
import { backupManifest } from '../../libs/rollback/src/backups/backup.contract.js';
import { proveBackup } from '../../libs/rollback/src/backups/backup-proof.service.js';
import { writtenBackup } from '../../libs/rollback/src/backups/backup-record.service.js';
import { insertBackup } from '../../libs/rollback/src/backups/backup.queries.js';
import { newestBackup, openBackup } from '../../libs/rollback/src/backups/open-backup.js';
import { restoreInto } from '../../libs/rollback/src/backups/restore-into.js';
import { SideDatabase } from '../../libs/rollback/src/backups/side-database.js';
import { World } from '../../libs/rollback/src/engine/world.js';
import { ledgers } from '../../migrations/index.js';
import { ActionRoom } from './action-room.js';
import { BackupRoom } from './backup-room.js';
import { valueLedger, valueRows } from './values.js';
import { yardLedger, yardRows } from './yard.js';

const ofYard = { kind: 'domains' as const, domains: ['yard'] };

describe('a backup of the whole installation', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belay-backup-'));
  let room: ActionRoom;
  let world: World;
  beforeAll(async () => {
    room = await ActionRoom.open({ domains, ledgers, env: { BACKUP_DIR: folder } });
    world = new World(room.runtime, ledgers, apiStages(room.runtime));
  });
  afterAll(async () => {
    await world.close();
    await room.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    { kind: 'domains' as const, domains: ['wms'] },
    { kind: 'application' as const },
    { kind: 'control' as const },
  ])('is proven as $kind, by rows, catalogue and what an API on it answers', async (scope) => {
    const id = crypto.randomUUID();
    const location = join(folder, id);
    await insertBackup(world.control, { id, scope, location, runId: null, requestedBy: 'maria', wanted: null });
    await writtenBackup(world, { id, scope });
    const record = await proveBackup(world, id, 4);
    expect(record.findings).toEqual([]);
    expect(record).toMatchObject({ state: 'proven', level: 4 });
    expect(record.drillMs).toBeGreaterThan(0);
  });
});

describe('a backup', () => {
  let room: BackupRoom;
  beforeAll(async () => {
    room = await BackupRoom.open([yardLedger, valueLedger]);
    await room.rows(yardRows());
    await room.rows(valueRows);
  });
  afterAll(() => room.close());

  it('brings back every kind of value, under whatever name it stands', async () => {
    const { id } = await room.make({ kind: 'domains', domains: ['value'] });
    expect(await room.prove(id, 4)).toMatchObject({ state: 'proven', findings: [] });
    const backup = await openBackup(room.world, id);
    expect(backup.table('value', 'kind')?.columns).not.toContain('g');
    expect(backup.table('value', 'nothing')).toMatchObject({ rows: '2', columns: [] });
    const side = await SideDatabase.create(room.world, backup.manifest.database, '0123abcd');
    try {
      await restoreInto(room.world, backup, side);
      expect(await contentOf(side.url, 'value')).toEqual(await contentOf(room.config.DATABASE_URL, 'value'));
    } finally {
      await side.drop();
    }
  });

  it('stands alone: numbers go on, parts that jobs made are there, views are filled, the search path is set', async () => {
    const { id } = await room.make(ofYard);
    const backup = await openBackup(room.world, id);
    const side = await SideDatabase.create(room.world, backup.manifest.database, '0123abce');
    const client = new pg.Client({ connectionString: side.url });
    try {
      await restoreInto(room.world, backup, side);
      await client.connect();
      const one = async (sql: string) => (await client.query<{ one: unknown }>(sql)).rows[0]?.one;
      expect(await one(`SELECT nextval('yard.ticket_no') AS one`)).toBe('520');
      expect(await one(`SELECT count(*)::int AS one FROM yard.visit_2026_02`)).toBeGreaterThan(0);
      expect(await one(`SELECT sum(trucks)::int AS one FROM yard.mv_load`)).toBe(40);
      expect(await one(`SELECT count(*)::int AS one FROM bay`)).toBe(4);
      expect(await one(`SELECT count(*)::int AS one FROM public.yard_migrations WHERE state = 'applied'`)).toBe(2);
      await client.query(`INSERT INTO yard.truck (bay_id, plate, tonnes) SELECT id, 'next', 1 FROM yard.bay LIMIT 1`);
      await expect(client.query(`DELETE FROM yard.journal`)).rejects.toThrow('does not allow DELETE');
    } finally {
      await client.end();
      await side.drop();
    }
    expect(await room.sides()).toEqual([]);
  });

  it('is of one moment, while forty thousand rows are written', async () => {
    let written = 0;
    const during: string[] = [];
    const enough = () => written >= 40_000 && during.length >= 3;
    const writers = [0, 1, 2, 3].map(async (writer) => {
      for (let batch = 0; !enough(); batch++) {
        const client = await room.pool.connect();
        // Two tables that must agree in every snapshot.
        await client.query('BEGIN');
        await client.query(
          `INSERT INTO yard.truck (bay_id, plate, tonnes)
           SELECT '00000000-0000-7000-8000-000000000001', 'w' || $1::int || '-' || $2::int || '-' || n, 1 FROM generate_series(1, 50) n`,
          [writer, batch],
        );
        await client.query(`INSERT INTO yard.journal (said) SELECT 'w' FROM generate_series(1, 50) n`);
        await client.query('COMMIT');
        client.release();
        written += 100;
      }
    });
    while (!enough()) during.push((await room.make(ofYard)).id);
    await Promise.all(writers);

    const figures = new Set<string>();
    for (const id of during) {
      const { manifest } = await openBackup(room.world, id);
      const rowsOf = (table: string) => Number(manifest.tables.find((one) => one.table === table)?.rows);
      expect(rowsOf('truck') - 40).toBe(rowsOf('journal') - 20);
      figures.add(`${rowsOf('truck')}`);
    }
    expect(figures.size).toBeGreaterThan(1);
    const last = during.at(-1) ?? '';
    expect(await room.prove(last, 4)).toMatchObject({ state: 'proven', findings: [] });
  }, 60_000);

  it('says in its manifest all that a stranger needs, and nothing secret anywhere', async () => {
    const { id, location } = await room.make({ kind: 'application' });
    const manifest = backupManifest.parse(JSON.parse(readFileSync(join(location, 'manifest.json'), 'utf8')));
    expect(manifest).toMatchObject({ id, scope: 'application', domains: ['platform', 'yard', 'value'], cipher: null });
    expect(manifest.server.number).toBeGreaterThanOrEqual(150_000);
    expect(manifest.wal).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
    expect(manifest.tables.map(({ schema, table }) => `${schema}.${table}`)).not.toContain('platform.fence');
    expect(manifest.partitions).toContainEqual(expect.objectContaining({ partition: 'visit_2026_02' }));
    const files = readdirSync(location, { recursive: true }).map(String);
    for (const name of ['flags.json', 'jobs.json', 'processes.json', 'build.json', 'config.json'])
      expect(files).toContain(name);
    expect(files).toContain('migrations/yard/1764009000000-create-yard.sql');
    const texts = files
      .filter((name) => name.endsWith('json'))
      .map((name) => readFileSync(join(location, name), 'utf8'));
    for (const secret of [room.config.SECRET_KEY, room.config.DATABASE_URL]) expect(texts.join()).not.toContain(secret);
  });

  it('carries the marks and keys of a domain from the tables of the platform, and of nobody else', async () => {
    await room.rows(`
      INSERT INTO platform.inbox (consumer, event_id, domain) VALUES ('yard.x', 1, 'yard'), ('value.x', 1, 'value');
      INSERT INTO platform.idempotency_key (account_id, key, route, domain, request_hash)
      VALUES (gen_random_uuid(), 'k', 'POST /yard', 'yard', 'h')`);
    const { id } = await room.make(ofYard);
    const backup = await openBackup(room.world, id);
    expect(backup.table('platform', 'inbox')).toMatchObject({ rows: '1' });
    expect(backup.table('platform', 'idempotency_key')).toMatchObject({ rows: '1' });
    expect(await room.prove(id, 4)).toMatchObject({ state: 'proven', findings: [] });
  });

  it('is found when it covers what is asked for, at the level that is asked for', async () => {
    const { id } = await room.make(ofYard);
    expect((await newestBackup(room.world, { domains: ['yard'], level: 0 }))?.id).toBe(id);
    expect((await newestBackup(room.world, { domains: ['yard'], level: 1 }))?.id).not.toBe(id);
    expect((await newestBackup(room.world, { domains: ['yard', 'value'], level: 0 }))?.scope).toBe('application');
    await room.prove(id, 2);
    expect((await newestBackup(room.world, { domains: ['yard'], level: 2 }))?.id).toBe(id);
    expect(await newestBackup(room.world, { domains: 'control', level: 0 })).toBeUndefined();
  });

  it('has what is parked under its parked name, and brings it back parked', async () => {
    const { targets, ledgers: of } = room.world;
    await migrateDown(targets, of, 'yard', { to: '1764009000000-create-yard' });
    const part = await room.make(ofYard);
    expect(await room.prove(part.id, 4)).toMatchObject({ state: 'proven', findings: [] });
    const countOf = async (table: string) =>
      (await room.rows<{ rows: string }>(`SELECT count(*)::text AS rows FROM ${table}`))[0]?.rows;
    const journal = (await openBackup(room.world, part.id)).table('yard', 'journal__parked');
    expect(journal?.rows).toBe(await countOf('yard.journal__parked'));
    await migrateDown(targets, of, 'yard');
    const whole = await room.make(ofYard);
    expect(await room.prove(whole.id, 4)).toMatchObject({ state: 'proven', findings: [] });
    const truck = (await openBackup(room.world, whole.id)).table('yard__parked', 'truck');
    expect(truck?.rows).toBe(await countOf('yard__parked.truck'));
    await migrateUp(targets, of, 'yard');
  });
});

describe('an encrypted backup', () => {
  let room: BackupRoom;
  let copies: string;
  beforeAll(async () => {
    copies = mkdtempSync(join(tmpdir(), 'belay-copies-'));
    const env = { BACKUP_KEY: randomBytes(32).toString('base64'), BACKUP_COPY_DIR: copies };
    room = await BackupRoom.open([yardLedger], env);
    await room.rows(yardRows());
  });
  afterAll(async () => {
    await room.close();
    rmSync(copies, { recursive: true, force: true });
  });

  it('is proven with its key, shows nothing without it, and is not broken by a wrong one', async () => {
    const { id, location } = await room.make(ofYard);
    for (const name of readdirSync(location, { recursive: true }).map(String)) {
      if (/\.(zst|json|sql)$/.test(name) && name !== 'manifest.json') {
        expect(readFileSync(join(location, name)).includes('BAY-1')).toBe(false);
        expect(readFileSync(join(location, name)).includes('CREATE')).toBe(false);
      }
    }
    for (const BACKUP_KEY of [undefined, randomBytes(32).toString('base64')]) {
      await expect(room.prove(id, 1, room.another({ BACKUP_KEY }))).rejects.toMatchObject({
        slug: 'backup-key-missing',
      });
    }
    expect(await room.prove(id, 4)).toMatchObject({ state: 'proven', findings: [] });
  });

  it('is read from its second copy when the first is lost', async () => {
    const { id, location } = await room.make(ofYard);
    rmSync(location, { recursive: true });
    expect(await room.prove(id, 4)).toMatchObject({ state: 'proven', findings: [] });
    rmSync(join(copies, id), { recursive: true });
    expect(await room.prove(id, 1)).toMatchObject({ state: 'broken' });
  });

  it('is whole without a second copy that cannot be written, and says so', async () => {
    const world = room.another({ BACKUP_COPY_DIR: join(copies, 'no folder') });
    writeFileSync(join(copies, 'no folder'), '');
    const record = await room.make(ofYard, world);
    expect(record).toMatchObject({ state: 'created', findings: [{ subject: 'BACKUP_COPY_DIR' }] });
    expect(await room.prove(record.id, 2, world)).toMatchObject({ state: 'complete' });
  });
});

async function contentOf(url: string, schema: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r'`,
      [schema],
    );
    const contents = rows.map(async ({ name }) => [
      name,
      (await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t ORDER BY 1`)).rows,
    ]);
    return Object.fromEntries(await Promise.all(contents));
  } finally {
    await client.end();
  }
}
