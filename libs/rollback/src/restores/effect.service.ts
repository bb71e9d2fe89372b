import { SYSTEM_ACCOUNT, violates, type RecoveryContext } from '@belay/platform';
import pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import type { StepContext } from '../engine/action.js';
import { enterFence, markedStep } from '../engine/fence.js';
import type { Json, JsonObject } from '../engine/json.js';
import { retryLocks } from '../engine/lock-retry.js';
import { compensationKeyOf } from '../engine/step-context.js';

/** A point in the life of the application database, from before anything was done by the transaction that knows it. */
export const point = z.object({ snapshot: z.string(), at: z.coerce.date() });

/** An effect under way: its transaction as hooks of domains take it, and the connection of that transaction. */
export interface Effect {
  readonly tx: EntityManager;
  readonly client: pg.ClientBase;
  readonly before: z.infer<typeof point>;
}

const LOCK_TIMEOUT_MS = 2_000;
const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/**
 * One transaction of the application database that is fenced and happens once for each key, as `ctx.once` does; but its
 * marker is written first, because the triggers of domains look for it, and hooks of domains can work in it.
 */
export function effectOnce(ctx: StepContext, work: (effect: Effect) => Promise<JsonObject>): Promise<JsonObject> {
  const key = ctx.stepKey;
  return retryLocks(ctx.signal, () =>
    inTransaction(ctx, 'COMMIT', async (effect) => {
      const { client } = effect;
      await enterFence(client, ctx);
      const earlier = await markedStep(client, key);
      if (earlier) return earlier;
      await client.query(`INSERT INTO platform.step_marker (step_key, run_id, epoch) VALUES ($1, $2, $3)`, [
        key,
        ctx.runId,
        ctx.epoch,
      ]);
      await client.query(
        `SELECT set_config('belay.actor', $1, true), set_config('belay.request_id', $2, true), set_config('belay.reason', $3, true)`,
        [ctx.actor, ctx.runId, ctx.reason],
      );
      const result = await work(effect);
      await client.query(`UPDATE platform.step_marker SET result = $2 WHERE step_key = $1`, [
        key,
        JSON.stringify(result),
      ]);
      return result;
    }),
  ).catch(async (error: unknown) => {
    // Somebody had the same step committed between our look and our mark.
    const earlier = violates(error, 'step_marker_pkey') && (await markedStep(ctx.world.application, key));
    if (!earlier) throw error;
    return earlier;
  });
}

/**
 * The step that this context takes back, when its effect was committed: the journal may not know of it. Taking back has
 * a key of its own, which follows from the step's.
 */
export async function stepToUndo(
  on: pg.ClientBase | pg.Pool,
  { runId, stepKey }: Pick<StepContext, 'runId' | 'stepKey'>,
): Promise<{ readonly stepKey: string; readonly result: JsonObject } | undefined> {
  const { rows } = await on.query(
    `SELECT step_key AS "stepKey", coalesce(result, '{}') AS result FROM platform.step_marker WHERE run_id = $1`,
    [runId],
  );
  return z
    .array(z.object({ stepKey: z.string(), result: jsonObject }))
    .parse(rows)
    .find((step) => compensationKeyOf(step.stepKey) === stepKey);
}

/** A look that may need temporary tables: whatever it does is undone. */
export function look<Result>(
  ctx: LookContext,
  work: (effect: Effect) => Promise<Result>,
  isolation: 'READ COMMITTED' | 'REPEATABLE READ' = 'READ COMMITTED',
): Promise<Result> {
  return inTransaction(ctx, 'ROLLBACK', work, isolation);
}

export type LookContext = Pick<StepContext, 'world' | 'signal' | 'sessionName'>;

async function inTransaction<Result>(
  { world, signal, sessionName }: LookContext,
  end: 'COMMIT' | 'ROLLBACK',
  work: (effect: Effect) => Promise<Result>,
  isolation: 'READ COMMITTED' | 'REPEATABLE READ' = 'READ COMMITTED',
): Promise<Result> {
  signal.throwIfAborted();
  const source = new DataSource({
    type: 'postgres',
    url: world.targets.databaseUrl,
    applicationName: sessionName,
    installExtensions: false,
    extra: { max: 2, lock_timeout: LOCK_TIMEOUT_MS, statement_timeout: 0 },
  });
  await source.initialize();
  const runner = source.createQueryRunner();
  try {
    const client: unknown = await runner.connect();
    if (!(client instanceof pg.Client)) throw new Error('The transaction does not run on a PostgreSQL connection');
    const stop = await stopperOf(client, world.application);
    signal.addEventListener('abort', stop);
    try {
      await runner.startTransaction(isolation);
      // Before the transaction has a number: its own changes are not visible at the point.
      const { rows } = await client.query(`SELECT pg_current_snapshot()::text AS snapshot, clock_timestamp() AS at`);
      const [before] = z.array(point).parse(rows);
      if (!before) throw new Error('The server does not tell its time');
      const result = await work({ tx: runner.manager, client, before });
      signal.throwIfAborted();
      await (end === 'COMMIT' ? runner.commitTransaction() : runner.rollbackTransaction());
      return result;
    } catch (error) {
      // A transaction that was ended from here says why, not that the connection broke.
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  } finally {
    // An open transaction goes with its connection.
    await runner.release().catch(() => undefined);
    await source.destroy().catch(() => undefined);
  }
}

async function stopperOf(client: pg.ClientBase, others: pg.Pool): Promise<() => void> {
  const { rows } = await client.query<{ pid: number }>(`SELECT pg_backend_pid() AS pid`);
  const pid = rows[0]?.pid;
  return () => {
    // Who takes over ends it again, and waits until it is gone.
    others.query(`SELECT pg_terminate_backend($1)`, [pid]).catch(() => undefined);
  };
}

/** What the hooks of a domain work with. They write accounts into rows, so that whoever has none acts as Belay itself. */
export function recoveryContext(
  { runId, actor, signal }: Pick<StepContext, 'runId' | 'actor' | 'signal'>,
  tx: EntityManager,
): RecoveryContext {
  return { tx, runId, actor: z.uuid().safeParse(actor).data ?? SYSTEM_ACCOUNT, signal };
}

/** As the journal keeps it: times as text, without what is undefined. */
export function asJson(value: object): JsonObject {
  return jsonObject.parse(JSON.parse(JSON.stringify(value)));
}

export function asJsonList(values: readonly object[]): Json[] {
  return values.map(asJson);
}

/** Of the run, in names of schemas and databases that are kept. */
export function tagOf(runId: string): string {
  return runId.replaceAll('-', '').slice(-8);
}
