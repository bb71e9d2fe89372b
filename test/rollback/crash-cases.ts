import { migrateUp } from '@belay/platform';
import type { JsonObject } from '../../libs/rollback/src/engine/json.js';
import { createDepot, depot, depotLedgers } from './depot.js';
import { RunRoom, type WantedStep } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';
import { actions } from '../../libs/rollback/src/actions/registry.js';

/** How an action is put to the test: what it is given, and everything it may change. */
export interface CrashCase {
  readonly step: Omit<WantedStep, 'input'>;
  /** Makes the world what it is before each run. */
  readonly prepare: (room: RunRoom) => Promise<void>;
  readonly input: (room: RunRoom) => Promise<JsonObject>;
  readonly content: (room: RunRoom) => Promise<unknown>;
}

const targetsOf = ({ databases: { databaseUrl, controlUrl } }: RunRoom) => ({ databaseUrl, controlUrl });

export async function openCrashRoom(): Promise<RunRoom> {
  const room = await RunRoom.open([...actions, ...shelfActions], {
    domains: [depot],
    ledgers: depotLedgers,
    sql: shelfSql,
  });
  await createDepot(targetsOf(room));
  await room.rows(`INSERT INTO depot.item (id, name, qty) SELECT n, 'item ' || n, n FROM generate_series(1, 20) AS n`);
  return room;
}

const nothing = () => Promise.resolve();
const given = (input: JsonObject) => () => Promise.resolve(input);

const shelf = (action: string): CrashCase => ({
  step: { action },
  prepare: nothing,
  input: given({ name: 'a', ms: 30 }),
  content: async (room) => ({ boxes: await room.boxes(), effects: await room.effects() }),
});

const override = async (room: RunRoom) =>
  room.control(`SELECT flag, off, scope FROM control.flag_override ORDER BY flag`);
const flags = (action: string, off: boolean): CrashCase => ({
  step: { action },
  prepare: async (room) => {
    await room.control(`SELECT control.override_flag('live', 'enable_depot', $1, 'a test', 'maria', NULL)`, [off]);
  },
  input: given({ flag: 'enable_depot' }),
  content: override,
});

const schema = (action: string): CrashCase => ({
  step: { action, domain: 'depot', destructive: true },
  prepare: async (room) => {
    await migrateUp(targetsOf(room), depotLedgers, 'depot');
  },
  input: given({ domain: 'depot' }),
  content: async (room) => ({
    rows: await room.rows(
      `SELECT md5(schema_to_xml(nspname, true, false, '')::text) AS content FROM pg_namespace WHERE nspname LIKE 'depot%'`,
    ),
    schemas: await room.rows(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'depot%' ORDER BY 1`),
    ledger: await room.rows(`SELECT name, state FROM public.depot_migrations ORDER BY name`),
  }),
});

/** By the names of the actions. */
export const crashCases: Readonly<Record<string, CrashCase>> = {
  'flag.lift': flags('flag.lift', true),
  'flag.off': flags('flag.off', false),
  'migration.down': schema('migration.down'),
  'shelf.put': shelf('shelf.put'),
  'shelf.keep': shelf('shelf.keep'),
};
