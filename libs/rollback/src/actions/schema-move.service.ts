import {
  databaseError,
  featureMigrations,
  foreseeMigration,
  migrateDown,
  migrateUp,
  parkedNow,
  recordSchema,
  type Extent,
  type ForeseenStep,
  type Inside,
} from '@belay/platform';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Evidence, Preview, Reconciled, Retries, StepContext } from '../engine/action.js';
import { enterFence, markedStep, markStep } from '../engine/fence.js';
import type { JsonObject } from '../engine/json.js';
import type { World } from '../engine/world.js';
import { NotOfFeature } from '../rollback.problems.js';
import { concernedGuards, countGuards, guardsOf, holdGuards } from './guard.queries.js';
import { keepMoved, movedResult, movedSoFarBy, withSteps } from './moved.queries.js';
import { fingerprintNow, fingerprintRecorded } from './schema.queries.js';

export type Direction = 'up' | 'down';

/** Which migrations of a domain; all of them when neither is said. */
export const schemaMove = z.strictObject({
  domain: z.string().regex(/^[a-z][a-z_]{0,40}$/),
  /** The last one that stays (down) or is wanted (up). */
  to: z.string().nullable().default(null),
  /** Exactly these: those of a feature, or those that a run has parked. */
  only: z.array(z.string()).nullable().default(null),
  /** Flag of the feature that they are of, all of them: the rest of the domain goes on meanwhile. */
  feature: z.string().nullable().default(null),
});
export type SchemaMove = z.infer<typeof schemaMove>;

const line = z.object({ name: z.string(), checksum: z.string(), state: z.enum(['applied', 'parked']) });
const beforeMove = z.object({ ledger: z.array(line) });
export type LedgerLines = readonly z.infer<typeof line>[];

/** Another runner may be at it, e.g. a deployment that did not take the lease. */
const OTHERS_MS = 10_000;

/** A connection that was lost: what it did is committed or gone, and doing it again is harmless either way. */
export const whenCutOff: Retries = {
  attempts: 3,
  when: (error) =>
    /^(57P0[1-3]|08)/.test(databaseError(error)?.code ?? '') || /connection terminated/i.test(String(error)),
};

function extentOf({ ledgers }: World, { domain, to, only, feature }: SchemaMove): Extent {
  if (feature === null) return { ...(to !== null && { to }), ...(only !== null && { only }) };
  const own = featureMigrations(ledgers, domain, feature);
  const strange = (only ?? []).filter((name) => !own.includes(name));
  if (own.length === 0 || strange.length > 0) throw new NotOfFeature(feature, strange);
  return { only: only ?? own };
}

/** What the schema and the ledger of the domain are like, and how many rows its guards see. */
export async function inspectSchema({ world }: StepContext, { domain }: SchemaMove): Promise<JsonObject> {
  return {
    domain,
    ledger: [...(await ledgerOf(world, domain))],
    fingerprint: await fingerprintNow(world, domain),
    parked: (await parkedNow(world.application, domain)).map(({ kind, object }) => `${kind} ${object}`),
    guards: [...(await countGuards(world.application, guardsOf(world, domain)))],
  };
}

/** The SQL that the vault has for it, which is what was tried when the migrations came. */
export async function previewMove(context: StepContext, move: SchemaMove, direction: Direction): Promise<Preview> {
  const { world } = context;
  const steps = await foreseen(world, move, direction);
  const size = await sizeOf(world, move.domain);
  const untried = steps.filter(({ sql }) => sql === undefined).map(({ name }) => name);
  const guards =
    direction === 'down' ? await countGuards(world.application, concernedGuards(world, move.domain, steps)) : [];
  return {
    changes: steps.flatMap(({ name, sql = [] }) => [`-- ${move.domain}/${name}`, ...sql]),
    estimatedMs: direction === 'down' ? 500 : 500 + Math.round(size.rows / 1_000),
    lock: 'access-exclusive',
    rows: size.rows,
    reversible: steps.every((step) => step.class !== 'lossy' || direction === 'down'),
    notes: [
      ...untried.map((name) => `${name} was never applied here, so its SQL is not known before it runs`),
      ...guards.map(({ object, rows, mode }) => `${object} has ${rows ?? 'no'} rows (${mode})`),
    ],
  };
}

/** Moves the schema once for this step; answers what was moved, and what the journal lost when it was moved before. */
export async function moveSchema(context: StepContext, move: SchemaMove, direction: Direction): Promise<JsonObject> {
  const { world, runId, stepKey, signal, sessionName } = context;
  const earlier = await markedStep(world.application, stepKey);
  if (earlier) {
    await recordSchema(world.targets, [move.domain], runId);
    return earlier;
  }
  const guards =
    direction === 'down' ? concernedGuards(world, move.domain, await foreseen(world, move, direction)) : [];
  const began = performance.now();
  let marked: JsonObject | undefined;
  const inside: Inside = {
    enter: async (client) => {
      await enterFence(client, context);
      await holdGuards(client, guards);
    },
    leave: async (client, steps, last) => {
      const moved = withSteps(await movedSoFarBy(client, stepKey), steps);
      if (!last) await keepMoved(client, context, moved);
      else await markStep(client, context, (marked = movedResult(move.domain, direction, moved, began)));
    },
  };
  const clock = {
    now: () => performance.now(),
    sleep: async (ms: number) => {
      await sleep(ms, undefined, { signal });
    },
    random: Math.random,
  };
  const migrate = direction === 'down' ? migrateDown : migrateUp;
  const options = { runId, sessionName, inside, clock, waitMs: OTHERS_MS, release: world.runtime.config.BUILD_SHA };
  signal.throwIfAborted();
  // A statement that waits or fills rows does not look at a signal: its session is ended on the server.
  const end = () => {
    world.application
      .query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1`, [sessionName])
      .catch(() => undefined);
  };
  signal.addEventListener('abort', end);
  try {
    await migrate(world.targets, world.ledgers, move.domain, { ...options, ...extentOf(world, move) });
  } catch (error) {
    // Why it was told to end says more than how it ended.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
  }
  return marked ?? context.once(() => Promise.resolve(movedResult(move.domain, direction, [], began)));
}

/** Whether the ledger, the catalogue and what the migrator wrote down say the same. */
export async function verifyMove({ world }: StepContext, move: SchemaMove, direction: Direction): Promise<Evidence> {
  const { domain } = move;
  const wanted = direction === 'down' ? 'parked' : 'applied';
  const ledger = await ledgerOf(world, domain);
  const left = (await foreseen(world, move, direction)).map(({ name }) => name);
  const parked = await parkedNow(world.application, domain);
  const promised = await parksOf(
    world,
    domain,
    ledger.filter(({ state }) => state === wanted),
    extentOf(world, move),
  );
  const isParked = ({ kind, object }: { kind: string; object: string }) =>
    parked.some((one) => one.kind === kind && one.object === object);
  const misplaced = promised.filter((one) => isParked(one) !== (direction === 'down')).map(({ object }) => object);
  const now = await fingerprintNow(world, domain);
  const recorded = await fingerprintRecorded(world, domain);
  const facts = { domain, wanted, left, misplaced, fingerprint: now, recorded, parked: parked.length };
  if (left.length > 0 || misplaced.length > 0) return { outcome: 'fail', facts };
  if (recorded === null) return { outcome: 'inconclusive', facts };
  return { outcome: now === recorded ? 'pass' : 'fail', facts };
}

/** Done when the step's marker says so, or the ledger does; partial when some of the migrations have moved. */
export async function reconcileMove(
  context: StepContext,
  move: SchemaMove,
  direction: Direction,
  before: JsonObject,
): Promise<Reconciled> {
  const { world, runId, stepKey } = context;
  const marked = await markedStep(world.application, stepKey);
  const left = await foreseen(world, move, direction);
  if (marked || left.length === 0) {
    await recordSchema(world.targets, [move.domain], runId);
    return { effect: 'done', result: marked ?? movedResult(move.domain, direction, [], performance.now()) };
  }
  const then = beforeMove.safeParse(before).data?.ledger ?? [];
  const now = await ledgerOf(world, move.domain);
  return { effect: then.length > 0 && !sameLedger(then, now) ? 'partial' : 'not-done' };
}

/** Takes exactly those migrations back that have moved since the step was looked at. */
export async function moveBack(context: StepContext, move: SchemaMove, direction: Direction, before: JsonObject) {
  const then = beforeMove.parse(before).ledger;
  const now = await ledgerOf(context.world, move.domain);
  const was = new Map(then.map(({ name, state }) => [name, state]));
  const moved = now.filter(({ name, state }) => state !== (was.get(name) ?? 'parked')).map(({ name }) => name);
  if (moved.length === 0) return context.once(() => Promise.resolve({ domain: move.domain, moved: [] }));
  const back = direction === 'down' ? 'up' : 'down';
  return moveSchema(context, { domain: move.domain, to: null, only: moved, feature: null }, back);
}

export async function ledgerOf({ application }: World, domain: string): Promise<LedgerLines> {
  const table = `${domain}_migrations`;
  const found = await application.query(`SELECT FROM pg_class WHERE oid = to_regclass($1)`, [`public.${table}`]);
  if (found.rowCount === 0) return [];
  const { rows } = await application.query(
    `SELECT name, checksum, state FROM public.${table} ORDER BY name COLLATE "C"`,
  );
  return z.array(line).parse(rows);
}

function foreseen(world: World, move: SchemaMove, direction: Direction): Promise<readonly ForeseenStep[]> {
  return foreseeMigration(world.targets, world.ledgers, move.domain, direction, extentOf(world, move));
}

function sameLedger(one: LedgerLines, other: LedgerLines): boolean {
  const states = new Map(other.map(({ name, state }) => [name, state]));
  return one.length === other.length && one.every(({ name, state }) => states.get(name) === state);
}

/** What these migrations park, of those that the move is about. */
async function parksOf(world: World, domain: string, ledger: LedgerLines, { to, only }: Extent) {
  const down = ledger.every(({ state }) => state === 'parked');
  const names = ledger
    .map(({ name }) => name)
    .filter((name) => to === undefined || (down ? name > to : name <= to))
    .filter((name) => only === undefined || only.includes(name));
  const { rows } = await world.control.query(
    `SELECT p ->> 'kind' AS kind, p ->> 'object' AS object
     FROM control.migration_artifact a, jsonb_array_elements(a.parks) AS p
     WHERE a.domain = $1 AND a.name = ANY ($2) AND a.checksum = ANY ($3)`,
    [domain, names, ledger.map(({ checksum }) => checksum)],
  );
  return z.array(z.object({ kind: z.string(), object: z.string() })).parse(rows);
}

async function sizeOf({ application }: World, domain: string): Promise<{ rows: number }> {
  const { rows } = await application.query(
    `SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::float8 AS rows FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ($1::text, $1::text || '__parked') AND c.relkind = 'r'`,
    [domain],
  );
  return z.tuple([z.object({ rows: z.number() })]).parse(rows)[0];
}
