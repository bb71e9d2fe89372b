import { setTimeout as sleep } from 'node:timers/promises';
import { databaseError, violates } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import { retryLocks } from './lock-retry.js';
import type { JsonObject } from './json.js';
import type { World } from './world.js';

/** What an effect shows at the door of a database: under which run and epoch it is done, and which step it is. */
export interface Pass {
  readonly scope: 'live' | 'drill';
  readonly epoch: bigint;
  readonly runId: string;
  readonly stepKey: string;
}

/** Another holder has taken over: whoever is told so changes nothing any more. */
export class FencedOff extends Error {
  override readonly name = 'FencedOff';

  constructor(
    pass: Pick<Pass, 'scope' | 'epoch'>,
    /** Where the fence stands. */
    readonly epoch: bigint,
  ) {
    super(`The fence of ${pass.scope} stands at ${epoch}; epoch ${pass.epoch} is over`);
  }
}

const LOCK_TIMEOUT_MS = 2_000;
/** How long an overtaken holder may take to end its transaction by itself; with its lease, less than the five seconds of a resume. */
const GRACE_MS = 1_000;
const stepResult: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** The name of every session that does effects of a run; who takes over ends it by this name. */
export function sessionName({ runId, epoch }: Pick<Pass, 'runId' | 'epoch'>): string {
  return `belay:${runId}:${epoch}`;
}

/**
 * First in the transaction of an effect: holds the fence as it is until that ends. Throws `FencedOff` when a later epoch
 * has begun.
 */
export async function enterFence(client: pg.ClientBase, pass: Pick<Pass, 'scope' | 'epoch'>): Promise<void> {
  const { rows } = await client.query<{ epoch: string }>(
    `SELECT epoch FROM platform.fence WHERE scope = $1 FOR SHARE`,
    [pass.scope],
  );
  const epoch = rows[0]?.epoch;
  if (epoch === undefined) throw new Error(`The application database has no fence for ${pass.scope}`);
  if (BigInt(epoch) > pass.epoch) throw new FencedOff(pass, BigInt(epoch));
}

/** What the step answered when its effect was committed; undefined when it was not. */
export async function markedStep(on: pg.ClientBase | pg.Pool, stepKey: string): Promise<JsonObject | undefined> {
  const { rows } = await on.query<{ result: unknown }>(`SELECT result FROM platform.step_marker WHERE step_key = $1`, [
    stepKey,
  ]);
  return rows[0] && stepResult.parse(rows[0].result ?? {});
}

/** In the transaction of the effect: from its commit on, the step is done. */
export async function markStep(client: pg.ClientBase, pass: Pass, result: JsonObject): Promise<void> {
  await client.query(`INSERT INTO platform.step_marker (step_key, run_id, epoch, result) VALUES ($1, $2, $3, $4)`, [
    pass.stepKey,
    pass.runId,
    pass.epoch,
    JSON.stringify(result),
  ]);
}

/**
 * Does the work in one transaction of the application database, once for each step key: what was committed before is
 * answered as it was. Waits two seconds for a lock and tries again as DDL may; an abort ends the transaction on the server.
 */
export function once(
  world: World,
  pass: Pass,
  signal: AbortSignal,
  work: (client: pg.ClientBase) => Promise<JsonObject>,
): Promise<JsonObject> {
  return retryLocks(signal, () =>
    transaction(world, 'application', pass, signal, async (client) => {
      await enterFence(client, pass);
      const earlier = await markedStep(client, pass.stepKey);
      if (earlier) return earlier;
      const result = await work(client);
      await markStep(client, pass, result);
      return result;
    }),
  ).catch(async (error: unknown) => {
    // Somebody had the same step committed between our look and our mark.
    const earlier = violates(error, 'step_marker_pkey') && (await markedStep(world.application, pass.stepKey));
    if (!earlier) throw error;
    return earlier;
  });
}

/** One transaction of the control database that commits only while the run still has this epoch. */
export function inControl<Result>(
  world: World,
  pass: Pass,
  signal: AbortSignal,
  work: (client: pg.ClientBase) => Promise<Result>,
): Promise<Result> {
  return retryLocks(signal, () =>
    transaction(world, 'control', pass, signal, async (client) => {
      const { rows } = await client.query<{ epoch: string }>(`SELECT epoch FROM control.run WHERE id = $1 FOR SHARE`, [
        pass.runId,
      ]);
      const epoch = BigInt(rows[0]?.epoch ?? -1);
      if (epoch !== pass.epoch) throw new FencedOff(pass, epoch);
      return work(client);
    }),
  );
}

/**
 * Lets nobody with an earlier epoch in any more. Waits for effects under way, and after a second ends their sessions
 * on the server: afterwards each is committed or gone.
 */
export async function raiseFence(world: World, pass: Omit<Pass, 'stepKey'>): Promise<void> {
  const client = await world.connect('application', `belay-fence:${pass.scope}:${pass.epoch}`);
  try {
    const { rows } = await insist(client, world.application, () =>
      client.query<{ epoch: string }>(
        `UPDATE platform.fence SET epoch = greatest(epoch, $2) WHERE scope = $1 RETURNING epoch`,
        [pass.scope, pass.epoch],
      ),
    );
    const epoch = BigInt(rows[0]?.epoch ?? -1);
    if (epoch !== pass.epoch) throw new FencedOff(pass, epoch);
  } finally {
    await client.end();
  }
}

/** Does one statement; whichever sessions of runs it has to wait for longer than a second are ended. */
export async function insist<Result>(
  client: pg.ClientBase,
  others: pg.Pool,
  statement: () => Promise<Result>,
): Promise<Result> {
  const { rows } = await client.query<{ pid: number }>(`SELECT pg_backend_pid() AS pid`);
  const pid = rows[0]?.pid;
  const done = new AbortController();
  const enforcing = enforce(others, pid, done.signal);
  try {
    return await statement();
  } finally {
    done.abort();
    await enforcing;
  }
}

async function enforce(others: pg.Pool, pid: number | undefined, done: AbortSignal): Promise<void> {
  for (let pause = GRACE_MS; await passes(pause, done); pause = 100) {
    await others
      .query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE pid = ANY (pg_blocking_pids($1)) AND application_name LIKE 'belay:%'`,
        [pid],
      )
      // The statement itself has its own time limit and says what is wrong.
      .catch(() => undefined);
  }
}

/** Whether the time passes before the end comes. */
function passes(ms: number, end: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal: end }).catch(() => false);
}

const LONGEST_END_MS = 10_000;

/** Ends every session of the run that still does something: afterwards its effects are committed or gone. */
export async function endSessions(world: World, runId: string): Promise<void> {
  const until = performance.now() + LONGEST_END_MS;
  for (const pool of [world.application, world.control]) {
    while ((await endOnce(pool, runId)) > 0) {
      if (performance.now() > until) throw new Error('sessions of the run do not end');
      await sleep(20);
    }
  }
}

async function endOnce(pool: pg.Pool, runId: string): Promise<number> {
  const { rowCount } = await pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE $1`,
    [`belay:${runId}:%`],
  );
  return rowCount ?? 0;
}

async function transaction<Result>(
  world: World,
  database: 'application' | 'control',
  pass: Pass,
  signal: AbortSignal,
  work: (client: pg.ClientBase) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const client = await world.connect(database, sessionName(pass));
  const { rows } = await client.query<{ pid: number }>(`SELECT pg_backend_pid() AS pid`);
  const end = () => {
    const pool = database === 'control' ? world.control : world.application;
    // Who takes over ends it again, and waits until it is gone.
    pool.query(`SELECT pg_terminate_backend($1)`, [rows[0]?.pid]).catch(() => undefined);
  };
  signal.addEventListener('abort', end);
  try {
    await client.query(`BEGIN`);
    await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
    const result = await work(client);
    signal.throwIfAborted();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // A transaction that was ended from here says why, not that the connection broke.
    if (signal.aborted && databaseError(error)?.code !== undefined) signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
    // An open transaction goes with its connection.
    await client.end().catch(() => undefined);
  }
}
