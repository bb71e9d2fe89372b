import { randomUUIDv7 } from 'node:crypto';
import { migrateDown, migrateUp } from '@belay/platform';
import { actions } from '../../libs/rollback/src/actions/registry.js';
import type { JsonObject } from '../../libs/rollback/src/engine/json.js';
import { createDepot, depot, depotContents, depotLedgers } from './depot.js';
import { restoreCases } from './restore-cases.js';
import { RunRoom, type WantedStep } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';
import { yard, yardLedger, yardRows } from './yard.js';

/** How an action is put to the test: what it is given, and everything it may change. */
export interface CrashCase {
  readonly action: string;
  readonly step?: Partial<Omit<WantedStep, 'action' | 'input'>>;
  /** Steps that come before, undisturbed. */
  readonly leading?: readonly WantedStep[];
  /** Makes the world what it is before each run. */
  readonly prepare: (room: RunRoom) => Promise<unknown>;
  readonly input: (room: RunRoom) => Promise<JsonObject>;
  /** What the action changes. */
  readonly state: (room: RunRoom) => Promise<unknown>;
  /** How often it was changed, where that can be told. */
  readonly effects?: (room: RunRoom) => Promise<unknown>;
  /** A person has to say that it is done, and takes it back by hand. */
  readonly byHand?: true;
  /** Takes so long, or changes so little, that the tests do with fewer of its deaths; the benchmark has them all. */
  readonly long?: true;
}

export const crashDomains = [depot, yard];
export const crashLedgers = [...depotLedgers, yardLedger];

/** As they are before each run. */
const depotRows = `
  DELETE FROM depot.batch;
  DELETE FROM depot.item;
  INSERT INTO depot.item (id, name, qty) SELECT n, 'item ' || n, n FROM generate_series(1, 20) AS n`;

const settings = { domains: crashDomains, ledgers: crashLedgers };

/** Worlds with small domains in them; the first is made, the others are copies of it. */
export async function openCrashRooms(count: number): Promise<RunRoom[]> {
  const known = [...actions, ...shelfActions];
  const first = await RunRoom.open(known, { ...settings, sql: shelfSql });
  await createDepot(targetsOf(first));
  await migrateUp(targetsOf(first), crashLedgers, 'yard');
  await first.rows(depotRows);
  await first.rows(yardRows());
  await first.disconnect();
  const rooms: RunRoom[] = [];
  while (rooms.length < count) rooms.push(await RunRoom.open(known, { ...settings, from: first.databases }));
  await first.close();
  return rooms;
}

const targetsOf = ({ databases: { databaseUrl, controlUrl } }: RunRoom) => ({ databaseUrl, controlUrl });
const given = (input: JsonObject) => () => Promise.resolve(input);
const nothing = given({});

const boxes = { state: (room: RunRoom) => room.boxes(), effects: (room: RunRoom) => room.effects() };
const shelf = (action: string): CrashCase => ({
  action,
  prepare: nothing,
  input: given({ name: 'a', ms: 30 }),
  ...boxes,
});

const setFlag = (room: RunRoom, off: boolean) =>
  room.control(`SELECT control.override_flag('live', 'enable_depot', $1, 'a test', 'maria', NULL)`, [off]);
const flag = (action: string, off: boolean, input: JsonObject): CrashCase => ({
  action,
  prepare: (room) => setFlag(room, off),
  input: given(input),
  state: (room) => room.control(`SELECT flag, off, scope FROM control.flag_override ORDER BY flag`),
});

const schemaState = async (room: RunRoom) => ({
  content: await room.rows(depotContents),
  ledger: await room.rows(`SELECT name, state FROM public.depot_migrations ORDER BY name`),
});
const depotUp = async (room: RunRoom) => {
  await migrateUp(targetsOf(room), crashLedgers, 'depot');
  await room.rows(depotRows);
};
const down: WantedStep = {
  action: 'migration.down',
  input: { domain: 'depot' },
  domain: 'depot',
  destructive: true,
};

/** A run that nobody disturbs, carried out here. */
async function done(room: RunRoom, steps: readonly WantedStep[]): Promise<string> {
  await room.host();
  const runId = await room.request(steps);
  await room.becomes(runId, 'monitoring', 30_000);
  await room.clear();
  return runId;
}

async function mark(room: RunRoom): Promise<void> {
  await room.rows(`UPDATE yard.truck SET plate = rtrim(plate, '!') WHERE plate LIKE '%!'`);
  const [now] = await room.rows<{ snapshot: string; at: Date }>(
    `SELECT pg_current_snapshot()::text AS snapshot, clock_timestamp() AS at`,
  );
  await room.control(
    `INSERT INTO control.marker (id, name, snapshot, at, ledger) VALUES ($1, 'before', $2::pg_snapshot, $3, '[]')`,
    [randomUUIDv7(), now?.snapshot, now?.at],
  );
  await room.rows(`UPDATE yard.truck SET plate = plate || '!' WHERE id <= 3`);
}

const newest = async (room: RunRoom, table: 'marker' | 'run'): Promise<string> => {
  const [row] = await room.control<{ id: string }>(
    `SELECT id FROM control.${table} ORDER BY ${table === 'run' ? 'created_at' : 'at'} DESC LIMIT 1`,
  );
  if (!row) throw new Error(`there is no ${table}`);
  return row.id;
};

/** Parked long ago, and proven since. */
async function putAside(room: RunRoom): Promise<void> {
  await room.control(`DELETE FROM control.backup WHERE location = 'none'`);
  await depotUp(room);
  await room.control(`DELETE FROM control.parked_object`);
  await migrateDown(targetsOf(room), crashLedgers, 'depot');
  await room.control(
    `UPDATE control.parked_object SET parked_at = parked_at - interval '40 days' WHERE taken_back_at IS NULL`,
  );
  await room.control(
    `INSERT INTO control.backup (id, scope, domains, location, state, level, snapshot_at, requested_by)
     VALUES ($1, 'domains', '{depot}', 'none', 'proven', 4, clock_timestamp(), 'test')`,
    [randomUUIDv7()],
  );
}

const backups = (room: RunRoom) =>
  room.control(
    `SELECT b.state, b.level, b.domains FROM control.backup b WHERE b.run_id = (SELECT max(id::text)::uuid FROM control.run)`,
  );

/** Every action that can be had on two small databases. */
export const crashCases: readonly CrashCase[] = [
  shelf('shelf.put'),
  shelf('shelf.keep'),
  flag('flag.lift', true, { flag: 'enable_depot' }),
  flag('flag.off', false, { flag: 'enable_depot' }),
  flag('verify.flags', true, { off: ['enable_depot'] }),
  { action: 'migration.down', step: down, prepare: depotUp, input: given({ domain: 'depot' }), state: schemaState },
  {
    action: 'migration.up',
    long: true,
    step: down,
    prepare: async (room) => {
      await depotUp(room);
      await done(room, [down]);
    },
    input: given({ domain: 'depot' }),
    state: schemaState,
  },
  {
    action: 'step.undo',
    long: true,
    step: { domain: 'depot', destructive: true },
    prepare: async (room) => {
      await depotUp(room);
      await done(room, [down]);
    },
    input: async (room) => ({ runId: await newest(room, 'run'), idx: 0 }),
    state: schemaState,
  },
  {
    action: 'rows.restore',
    long: true,
    step: { domain: 'yard', destructive: true },
    prepare: mark,
    input: async (room) => ({ path: 'R2', domain: 'yard', markerId: await newest(room, 'marker') }),
    state: (room) => room.rows(`SELECT id::text, plate, bay_id FROM yard.truck ORDER BY id LIMIT 10`),
  },
  {
    action: 'marker.create',
    prepare: (room) => room.control(`DELETE FROM control.marker`),
    input: given({ name: 'a point' }),
    state: (room) => room.control(`SELECT name FROM control.marker`),
  },
  {
    action: 'backup.create',
    long: true,
    prepare: depotUp,
    input: given({ domains: ['depot'] }),
    state: backups,
  },
  {
    action: 'backup.verify',
    long: true,
    leading: [{ action: 'backup.create', input: { domains: ['depot'] } }],
    prepare: depotUp,
    input: given({ level: 2 }),
    state: backups,
  },
  ...restoreCases.map((one): CrashCase => ({ ...one, long: true })),
  {
    action: 'purge',
    long: true,
    step: { domain: 'depot', destructive: true },
    prepare: putAside,
    input: given({ domain: 'depot' }),
    state: async (room) => ({
      ...(await schemaState(room)),
      kept: await room.control(
        `SELECT object, purged_by FROM control.parked_object WHERE domain = 'depot' AND taken_back_at IS NULL ORDER BY 1`,
      ),
    }),
  },
  {
    action: 'verify.domain',
    long: true,
    prepare: (room) => setFlag(room, true),
    input: given({ domain: 'depot', expect: 'off' }),
    state: nothing,
  },
  { action: 'verify.all', long: true, prepare: nothing, input: given({}), state: nothing },
  { action: 'manual.command', prepare: nothing, input: given({ what: 'look' }), state: nothing, byHand: true },
  { action: 'jobs.stop', prepare: nothing, input: given({ domain: 'depot' }), state: nothing },
  { action: 'jobs.start', prepare: nothing, input: given({ domain: 'depot' }), state: nothing },
  { action: 'unleash.sync', prepare: nothing, input: given({}), state: nothing },
];

/**
 * What kills it is tried elsewhere: it puts another database in the place of the one whose sessions the matrix ends and
 * whose pools its worlds hold, and a backup of everything takes longer than all other actions together.
 */
export const triedElsewhere: Readonly<Record<string, string>> = { 'database.restore': 'restore-crash.spec.ts' };
