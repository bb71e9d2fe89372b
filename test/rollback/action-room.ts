import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { readConfig, startRuntime, type Config, type Domain, type Ledger, type RunningRuntime } from '@belay/platform';
import type pg from 'pg';
import { World } from '../../libs/rollback/src/engine/world.js';
import type { Action, Evidence, Reconciled, StepContext } from '../../libs/rollback/src/engine/action.js';
import type { JsonObject } from '../../libs/rollback/src/engine/json.js';
import { compensationKeyOf, stepContext, stepKeyOf } from '../../libs/rollback/src/engine/step-context.js';
import { FlagsFile } from '../gate/flags-file.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { environmentOf } from '../support/environment.js';
import { quietPool } from '../support/pool.js';

export interface ActionRoomOptions {
  readonly domains: readonly Domain[];
  readonly on?: readonly string[];
  readonly ledgers?: readonly Ledger[];
  readonly env?: Readonly<Record<string, string>>;
  readonly sql?: string;
}

/** Databases with a run in them, and a step of it at a time: what an executor would call, called by hand. */
export class ActionRoom {
  readonly #pools: readonly pg.Pool[];

  private constructor(
    readonly databases: TestDatabases,
    readonly flags: FlagsFile,
    readonly config: Config,
    readonly runtime: RunningRuntime,
    readonly world: World,
  ) {
    this.#pools = [quietPool(databases.databaseUrl, 3), quietPool(databases.controlUrl, 3)];
  }

  static async open({ domains, on = [], ledgers = [], env = {}, sql }: ActionRoomOptions): Promise<ActionRoom> {
    const databases = await createDatabases();
    const flags = new FlagsFile(domains, on);
    const config = readConfig(environmentOf(databases, flags.path, env));
    const runtime = await startRuntime('worker', domains, config);
    const room = new ActionRoom(databases, flags, config, runtime, new World(runtime, ledgers));
    if (sql !== undefined) await room.rows(sql);
    return room;
  }

  /** In the application database. */
  async rows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pool(0).query<Row>(sql, [...values])).rows;
  }

  async control<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pool(1).query<Row>(sql, [...values])).rows;
  }

  /** A run that is at work; whatever ran before has ended. */
  async run(epoch = 1n): Promise<string> {
    const id = randomUUIDv7();
    await this.control(`UPDATE control.run SET state = 'closed', paused_for = NULL`);
    await this.control(
      `INSERT INTO control.plan (id, kind, doc, risk, fingerprint, state, created_by, expires_at)
       VALUES ($1, 'module', '{}', 'none', 'x', 'used', 'maria', now() + interval '1 hour')`,
      [randomBytes(32).toString('hex')],
    );
    await this.control(
      `INSERT INTO control.run (id, plan_id, mode, state, policy, epoch, reason, actor)
       SELECT $1, id, 'normal', 'running', 'compensate', $2, 'the counts are wrong', 'maria'
       FROM control.plan ORDER BY created_at DESC LIMIT 1`,
      [id, epoch],
    );
    return id;
  }

  async step(action: Action, input: JsonObject, facts: Partial<StepContext> = {}): Promise<TestStep> {
    const runId = facts.runId ?? (await this.run(facts.epoch));
    const key = stepKeyOf(runId, 0, action.name);
    const pass = { runId, epoch: 1n, scope: 'live', actor: 'maria', reason: 'the counts are wrong', ...facts } as const;
    const until = performance.now() + action.timeoutS * 1_000;
    return new TestStep(
      action,
      input,
      stepContext(this.world, { deadline: until, ...pass, stepKey: key }),
      stepContext(this.world, { deadline: until, ...pass, stepKey: compensationKeyOf(key) }),
    );
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.runtime.close();
    await Promise.all(this.#pools.map((pool) => pool.end()));
    await this.databases.drop();
    this.flags.remove();
  }

  private pool(index: number): pg.Pool {
    const pool = this.#pools[index];
    if (!pool) throw new Error('no such database');
    return pool;
  }
}

/** What the journal would keep is kept here; forgetting it is a crash. */
export class TestStep {
  before: JsonObject = {};
  result: JsonObject | null = null;

  constructor(
    readonly action: Action,
    readonly input: JsonObject,
    readonly context: StepContext,
    readonly back: StepContext,
  ) {}

  async inspect(): Promise<JsonObject> {
    this.before = await this.action.inspect(this.context, this.input);
    return this.before;
  }

  async execute(): Promise<JsonObject> {
    this.result = await this.action.execute(this.context, this.input);
    return this.result;
  }

  /** The executor died after the effect and before the journal knew. */
  forget(): void {
    this.result = null;
  }

  async reconcile(): Promise<Reconciled> {
    const found = await this.action.reconcile(this.context, this.input, this.before);
    if (found.effect === 'done') this.result = found.result;
    return found;
  }

  verify(): Promise<Evidence> {
    return this.action.verify(this.context, this.input, { before: this.before, result: this.result });
  }

  compensate(): Promise<JsonObject> {
    return this.action.compensate(this.back, this.input, { before: this.before, result: this.result });
  }
}
