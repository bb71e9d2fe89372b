import { appendFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { migrateAll } from '@belay/platform';
import fc from 'fast-check';
import pg from 'pg';
import { openBackup, readWhole } from '../../libs/rollback/src/backups/open-backup.js';
import { restoreInto } from '../../libs/rollback/src/backups/restore-into.js';
import { SideDatabase } from '../../libs/rollback/src/backups/side-database.js';
import type { BackupRecord } from '../../libs/rollback/src/backups/backup.queries.js';
import { proveRestored } from '../../libs/rollback/src/backups/proof.js';
import type { World } from '../../libs/rollback/src/engine/world.js';
import { park, unpark } from '../../migrations/support/park.js';
import { ledgerOf, migration } from '../migrations/ledgers.js';
import { BackupRoom, platformOnly } from './backup-room.js';

let room: BackupRoom;
beforeAll(async () => {
  room = await BackupRoom.open([]);
});
afterAll(() => room.close());

/** Each kind of column with values as PostgreSQL's text. */
const text = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((value) => !value.includes('\0') && value.isWellFormed());
const array = (value: fc.Arbitrary<string>) =>
  fc.array(value, { maxLength: 3 }).map((values) => `{${values.map((one) => JSON.stringify(one)).join(',')}}`);
const kinds: Record<string, fc.Arbitrary<string>> = {
  text,
  'text[]': array(text.filter((value) => !/\p{C}/u.test(value))),
  bytea: fc.uint8Array({ maxLength: 20 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  numeric: fc.oneof(
    fc.constantFrom('NaN', 'Infinity', '-Infinity', '0.000'),
    fc.stringMatching(/^-?[1-9]\d{0,30}(\.\d{1,20})?$/),
  ),
  'double precision': fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value))),
  jsonb: fc.json({ maxDepth: 2 }).filter((value) => !/\\u0000|\\u[dD][89a-fA-F]/.test(value) && value.isWellFormed()),
  boolean: fc.constantFrom('t', 'f'),
  date: fc.oneof(
    fc.constantFrom('infinity', '-infinity', '4713-01-01 BC'),
    fc
      .date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-01-01') })
      .map((at) => at.toISOString().slice(0, 10)),
  ),
  timestamptz: fc.oneof(
    fc.constantFrom('infinity', '-infinity'),
    fc
      .date({ noInvalidDate: true, min: new Date('0001-01-02'), max: new Date('9999-01-01') })
      .map((at) => at.toISOString()),
  ),
  interval: fc
    .tuple(
      fc.integer({ min: -99, max: 99 }),
      fc.integer({ min: -999, max: 999 }),
      fc.integer({ min: -9_999_999, max: 9_999_999 }),
    )
    .map(([months, days, ms]) => `${months} mons ${days} days ${ms} milliseconds`),
  uuid: fc.uuid(),
};

const name = fc
  .oneof(fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }))
  .filter(
    (value) =>
      !value.includes('\0') &&
      value.isWellFormed() &&
      Buffer.byteLength(value) < 55 &&
      value !== 'id' &&
      value !== 'parent' &&
      value !== 'moving',
  );
const column = fc.constantFrom(...Object.keys(kinds)).chain((kind) => fc.record({ kind: fc.constant(kind), name }));
const table = fc
  .record({
    name,
    columns: fc.uniqueArray(column, { maxLength: 5, selector: (one) => one.name }),
    refers: fc.boolean(),
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      rows: fc.array(fc.tuple(...shape.columns.map(({ kind }) => fc.option(kinds[kind] ?? text, { nil: null }))), {
        maxLength: 8,
      }),
    }),
  );
const schema = fc.uniqueArray(table, { minLength: 1, maxLength: 4, selector: ({ shape }) => shape.name });

const damage = fc.record({
  how: fc.constantFrom('flip' as const, 'remove' as const, 'foreign' as const, 'truncate' as const, 'append' as const),
  file: fc.nat(),
  at: fc.nat(),
  bits: fc.integer({ min: 1, max: 255 }),
});

type Tables = typeof schema extends fc.Arbitrary<infer Value> ? Value : never;

/** A domain that nobody had before. */
function ledgerFor(domain: string, tables: Tables) {
  const create = migration('CreateCase1764070000000', {
    up: async (q) => {
      if (await unpark(q, domain)) return;
      await q.query(`CREATE SCHEMA ${domain}`);
      await q.query(`CREATE TABLE ${domain}.moving (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, by integer)`);
      for (const [index, { shape }] of tables.entries()) {
        const before = tables[index - 1]?.shape;
        const parent = shape.refers && before ? [`parent integer REFERENCES ${named(domain, before.name)}`] : [];
        const columns = shape.columns.map((one) => `${pg.escapeIdentifier(one.name)} ${one.kind}`);
        const all = ['id integer PRIMARY KEY', ...parent, ...columns];
        await q.query(`CREATE TABLE ${named(domain, shape.name)} (${all.join(', ')})`);
      }
    },
    down: (q) => park(q, domain),
  });
  return ledgerOf(domain, [create]);
}

function named(domain: string, table: string): string {
  return `${domain}.${pg.escapeIdentifier(table)}`;
}

async function fill(domain: string, tables: Tables): Promise<void> {
  for (const { shape, rows } of tables) {
    if (rows.length === 0) continue;
    const columns = ['id', ...shape.columns.map((one) => pg.escapeIdentifier(one.name))];
    const kindOf = (place: number) => shape.columns[place - 1]?.kind ?? 'integer';
    const values = rows.map((_row, id) => {
      const places = columns.map((_name, place) => `$${id * columns.length + place + 1}::text::${kindOf(place)}`);
      return `(${places.join(', ')})`;
    });
    await room.rows(
      `INSERT INTO ${named(domain, shape.name)} (${columns.join(', ')}) VALUES ${values.join(', ')}`,
      rows.flatMap((row, id) => [String(id), ...row]),
    );
  }
}

/** Made while two others write three rows at a time, some hundred times a second. */
async function backupOf(domains: string[], world: World): Promise<BackupRecord> {
  let writing = true;
  const writers = domains.slice(0, 2).map(async (domain) => {
    while (writing) {
      await room.rows(`INSERT INTO ${domain}.moving (by) SELECT n FROM generate_series(1, 3) n`);
      await sleep(5);
    }
  });
  const record = await room.make({ kind: 'domains', domains }, world);
  writing = false;
  await Promise.all(writers);
  return record;
}

let cases = 0;
/** Each is a domain of its own with tables, values and damage of its own; so many share a restore, which takes the time. */
const AT_ONCE = 5;

// Feature: version-rollback, Property 4
it('equals its snapshot when it is restored elsewhere, whatever is in it and whoever writes; no damage passes level 1', async () => {
  const five = { minLength: AT_ONCE, maxLength: AT_ONCE };
  await fc.assert(
    fc.asyncProperty(fc.array(schema, five), fc.array(damage, five), async (schemas, damages) => {
      const tablesOf = new Map(
        schemas.map((tables): [string, Tables] => {
          const letters = Array.from(String(cases++), (digit) => 'abcdefghij'.charAt(Number(digit)));
          return [`case_${letters.join('')}`, tables];
        }),
      );
      const domains = [...tablesOf.keys()];
      const ledgers = [...tablesOf].map(([domain, tables]) => ledgerFor(domain, tables));
      await using world = room.another({}, [...platformOnly, ...ledgers]);
      await migrateAll(world.targets, world.ledgers);
      await Promise.all([...tablesOf].map(([domain, tables]) => fill(domain, tables)));
      const record = await backupOf(domains, world);

      const backup = await openBackup(world, record.id);
      const side = await SideDatabase.create(world, backup.manifest.database, record.id.slice(-8));
      const restored = new pg.Client({ connectionString: side.url });
      try {
        await restoreInto(world, backup, side);
        expect(await proveRestored(world, backup, side)).toEqual([]);
        await restored.connect();
        for (const [domain, tables] of tablesOf) {
          expect(Number(backup.table(domain, 'moving')?.rows) % 3).toBe(0);
          for (const { shape } of tables) {
            const sql = `SELECT t::text AS row FROM ${named(domain, shape.name)} t ORDER BY id`;
            expect((await restored.query(sql)).rows).toEqual(await room.rows(sql));
          }
        }
      } finally {
        await restored.end();
        await side.drop();
      }

      const level1 = async () => (await readWhole(world.signer, record.location, record)).problems;
      for (const harm of damages) {
        const heal = hurt(record.location, harm);
        expect(await level1()).not.toEqual([]);
        heal();
      }
      expect(await level1()).toEqual([]);
      rmSync(record.location, { recursive: true });
      for (const domain of domains) {
        await room.rows(`DROP SCHEMA ${domain} CASCADE; DROP TABLE public.${domain}_migrations`);
      }
    }),
    { numRuns: 100 / AT_ONCE },
  );
}, 240_000);

/** Answers what undoes it. */
function hurt(
  folder: string,
  { how, file, at, bits }: { how: string; file: number; at: number; bits: number },
): () => void {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const entry = files[file % files.length];
  if (!entry) throw new Error('an empty backup');
  const path = join(entry.parentPath, entry.name);
  const bytes = readFileSync(path);
  const changed = Buffer.from(bytes);
  changed[at % bytes.length] = (changed[at % bytes.length] ?? 0) ^ bits;
  if (how === 'remove') rmSync(path);
  else if (how === 'foreign') writeFileSync(`${path}.more`, '');
  else if (how === 'truncate') truncateSync(path, at % bytes.length);
  else if (how === 'append') appendFileSync(path, Buffer.from([bits]));
  else writeFileSync(path, changed);
  return () => {
    rmSync(`${path}.more`, { force: true });
    writeFileSync(path, bytes);
  };
}
