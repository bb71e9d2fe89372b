import { randomBytes, randomUUIDv7 } from 'node:crypto';
import {
  AuditTrail,
  createLogger,
  Flags,
  Metrics,
  openPool,
  readConfig,
  type Config,
  type Domain,
  type Ledger,
} from '@belay/platform';
import { join } from 'node:path';
import type pg from 'pg';
import type { Verdict } from '../../libs/rollback/src/checks/verdict.rules.js';
import type { Action } from '../../libs/rollback/src/engine/action.js';
import { Actions } from '../../libs/rollback/src/engine/actions.js';
import { system } from '../../libs/rollback/src/engine/actor.js';
import { ExecutorHost, type ExecutorParts } from '../../libs/rollback/src/engine/executor-host.js';
import type { JsonObject } from '../../libs/rollback/src/engine/json.js';
import { stepKeyOf } from '../../libs/rollback/src/engine/step-context.js';
import { wishRun, wishStep, type RunWish, type StepWish } from '../../libs/rollback/src/engine/wishes.js';
import { World } from '../../libs/rollback/src/engine/world.js';
import { hashOfDocument } from '../../libs/rollback/src/plans/plan-hash.rules.js';
import { planDoc, type PlanDoc, type PlanStep } from '../../libs/rollback/src/plans/plan.contract.js';
import { FlagsFile } from '../gate/flags-file.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { environmentOf } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { quietPool } from '../support/pool.js';

export interface WantedStep {
  readonly action: string;
  readonly input: JsonObject;
  readonly domain?: string;
  readonly onFail?: PlanStep['onFail'];
  readonly destructive?: boolean;
  readonly timeoutS?: number;
}

export interface WantedRun {
  readonly scope?: 'live' | 'drill';
  readonly mode?: 'normal' | 'drill' | 'dry' | 'emergency' | 'undo';
  readonly policy?: PlanDoc['policy'];
  /** Stored under another hash than its own. */
  readonly forged?: boolean;
}

export interface StepFacts {
  readonly idx: number;
  readonly action: string;
  readonly state: string;
  readonly attempt: number;
  readonly error: JsonObject | null;
}

/** What lets everything pass: which checks there are, and what they find, is tested with them. */
export const nothingAgainst: ExecutorParts['checks'] = {
  run: () => Promise.resolve<Verdict>({ decision: 'go', results: [], against: [] }),
};

/** The world of one pair of databases, without anything that an executor does not need. */
export async function openWorld(
  config: Config,
  domains: readonly Domain[],
  ledgers: readonly Ledger[],
): Promise<World & AsyncDisposable> {
  const processId = randomUUIDv7();
  const log = createLogger(config, 'worker', processId);
  const flags = await Flags.open(config, domains, processId, log);
  const control = openPool(config.CONTROL_DATABASE_URL, {
    max: 5,
    statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: config.LOCK_TIMEOUT_MS,
    applicationName: 'belay-worker-control',
  });
  const metrics = new Metrics('worker', config.BUILD_SHA);
  const world = new World({ config, control, domains, flags, log, metrics, processId, role: 'worker' }, ledgers);
  return Object.assign(world, {
    [Symbol.asyncDispose]: async () => {
      flags.close();
      await world.close();
      await control.end();
    },
  });
}

/** Databases, and executors in this process. */
export class RunRoom {
  readonly #hosts = new Set<ExecutorHost>();
  readonly #worlds = new Set<AsyncDisposable>();
  readonly #pools: readonly [pg.Pool, pg.Pool];

  private constructor(
    readonly databases: TestDatabases,
    readonly flags: FlagsFile,
    readonly env: Readonly<Record<string, string>>,
    private readonly domains: readonly Domain[],
    private readonly ledgers: readonly Ledger[],
    readonly actions: readonly Action[],
  ) {
    this.#pools = [quietPool(databases.databaseUrl), quietPool(databases.controlUrl)];
  }

  static async open(
    actions: readonly Action[],
    {
      domains = [],
      ledgers = [],
      sql,
      env: more = {},
      from,
    }: {
      domains?: readonly Domain[];
      ledgers?: readonly Ledger[];
      sql?: string;
      env?: Readonly<Record<string, string>>;
      /** Whose databases are copied, instead of the templates. */
      from?: TestDatabases;
    } = {},
  ): Promise<RunRoom> {
    const nameOf = (url: string) => new URL(url).pathname.slice(1);
    const databases = await createDatabases(
      from && { application: nameOf(from.databaseUrl), control: nameOf(from.controlUrl) },
    );
    const flags = new FlagsFile(domains);
    const env = environmentOf(databases, flags.path, { BACKUP_DIR: join(flags.folder, 'backups'), ...more });
    const room = new RunRoom(databases, flags, env, domains, ledgers, actions);
    if (sql !== undefined) await room.rows(sql);
    return room;
  }

  async rows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#pools[0].query<Row>(sql, [...values])).rows;
  }

  async control<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#pools[1].query<Row>(sql, [...values])).rows;
  }

  async world(env: Readonly<Record<string, string>> = {}): Promise<World & AsyncDisposable> {
    const world = await openWorld(readConfig({ ...this.env, ...env }), this.domains, this.ledgers);
    this.#worlds.add(world);
    return world;
  }

  /** An executor that stands by. */
  async host(parts: Partial<ExecutorParts> = {}, env: Readonly<Record<string, string>> = {}): Promise<ExecutorHost> {
    const world = parts.world ?? (await this.world(env));
    const host = new ExecutorHost({
      world,
      actions: new Actions(this.actions),
      checks: nothingAgainst,
      audit: new AuditTrail(world.control),
      ...parts,
    });
    this.#hosts.add(host);
    await host.start();
    return host;
  }

  /** Stops the executors there are. */
  async stopHosts(): Promise<void> {
    await Promise.all([...this.#hosts].map((host) => host.stop()));
    this.#hosts.clear();
  }

  /** A run as a person's request leaves it: rows, and nothing else. */
  async request(wanted: readonly WantedStep[], run: WantedRun = {}): Promise<string> {
    const { scope = 'live', mode = 'normal', policy = 'compensate' } = run;
    const id = randomUUIDv7();
    const doc = planOf(wanted, policy);
    const planId = hashOfDocument(run.forged === true ? { ...doc, reason: 'another one' } : doc);
    await this.control(
      `INSERT INTO control.plan (id, kind, doc, risk, fingerprint, state, created_by, expires_at)
       VALUES ($1, 'module', $2, 'none', 'x', 'used', 'maria', now() + interval '1 hour')`,
      [planId, JSON.stringify(doc)],
    );
    const steps = wanted.map(({ action, input, domain = null }, idx) => ({
      idx,
      key: stepKeyOf(id, idx, action),
      action,
      domain,
      input,
    }));
    // One statement: an executor sees all of it or nothing.
    await this.control(
      `WITH run AS (
         INSERT INTO control.run (id, plan_id, scope, mode, state, policy, level, reason, actor, last_event)
         VALUES ($1, $2, $3, $4, 'queued', $5, CASE WHEN $4 = 'emergency' THEN 'E2' END, 'the counts are wrong', 'maria', 1)
         RETURNING id),
       event AS (INSERT INTO control.run_event (run_id, seq, type, payload) SELECT id, 1, 'run.queued', '{}' FROM run)
       INSERT INTO control.run_step (run_id, idx, key, action, version, domain, input, state)
       SELECT run.id, s.idx, s.key, s.action, 1, s.domain, s.input, 'pending'
       FROM run, jsonb_to_recordset($6::jsonb) AS s(idx integer, key text, action text, domain text, input jsonb)`,
      [id, planId, scope, mode, policy, JSON.stringify(steps)],
    );
    return id;
  }

  async state(runId: string): Promise<string> {
    const [row] = await this.control<{ state: string; paused_for: string | null }>(
      `SELECT state, paused_for FROM control.run WHERE id = $1`,
      [runId],
    );
    return row?.paused_for ? `${row.state}: ${row.paused_for}` : (row?.state ?? 'unknown');
  }

  /** Waits for a state; answers how long it took. */
  becomes(runId: string, state: string, withinMs = 15_000): Promise<number> {
    return eventually(async () => {
      const now = await this.state(runId);
      if (now !== state) throw new Error(`the run is ${now}, not ${state}: ${JSON.stringify(await this.steps(runId))}`);
    }, withinMs);
  }

  steps(runId: string): Promise<StepFacts[]> {
    return this.control(
      `SELECT idx, action, state, attempt, error FROM control.run_step WHERE run_id = $1 ORDER BY idx`,
      [runId],
    );
  }

  async states(runId: string): Promise<string[]> {
    return (await this.steps(runId)).map(({ state }) => state);
  }

  events(runId: string): Promise<{ seq: string; type: string; payload: Record<string, unknown> }[]> {
    return this.control(`SELECT seq, type, payload FROM control.run_event WHERE run_id = $1 ORDER BY seq`, [runId]);
  }

  async result(runId: string): Promise<Record<string, unknown>> {
    const [row] = await this.control<{ result: Record<string, unknown> }>(
      `SELECT result FROM control.run WHERE id = $1`,
      [runId],
    );
    return row?.result ?? {};
  }

  /** Jonas wants it; fails when the run is in no state for that. */
  async wish(runId: string, what: RunWish): Promise<void> {
    const wanted = await wishRun(this.#pools[1], runId, what, { ...system, id: 'jonas' }, 'because');
    if (!wanted) throw new Error(`a run that is ${await this.state(runId)} cannot be asked for ${what}`);
  }

  async wishFor(runId: string, idx: number, what: StepWish, facts: JsonObject = {}): Promise<void> {
    const wanted = await wishStep(this.#pools[1], runId, idx, what, { ...system, id: 'jonas' }, facts);
    if (!wanted) throw new Error(`step ${idx} cannot be asked for ${what}`);
  }

  /** Says of every step that waits for a person that it is done. */
  async confirm(): Promise<void> {
    await this.control(
      `UPDATE control.run_step SET wish = 'confirm', wish_by = 'jonas', wish_facts = '{}'
       WHERE state = 'waiting' AND waits_for = 'human' AND wish IS NULL`,
    );
  }

  /** What was put on the shelf and taken from it, in order. */
  async effects(runId?: string): Promise<string[]> {
    const rows = await this.rows<{ told: string }>(
      `SELECT what || ' ' || name AS told FROM shelf.effect WHERE $1::uuid IS NULL OR run_id = $1 ORDER BY id`,
      [runId ?? null],
    );
    return rows.map(({ told }) => told);
  }

  async boxes(): Promise<string[]> {
    return (await this.rows<{ name: string }>(`SELECT name FROM shelf.box ORDER BY name`)).map(({ name }) => name);
  }

  /** Nothing at work, nothing on the shelf. */
  async clear(): Promise<void> {
    await this.stopHosts();
    await this.control(
      `UPDATE control.run SET state = 'closed', paused_for = NULL, paused_from = NULL, monitor_until = NULL`,
    );
    await this.control(`UPDATE control.lease SET holder = NULL, run_id = NULL`);
    await this.rows(`TRUNCATE shelf.box, shelf.effect, shelf.fault`);
  }

  /** Together with the executors in them. */
  async closeWorlds(): Promise<void> {
    await this.stopHosts();
    await Promise.all([...this.#worlds].map((world) => world[Symbol.asyncDispose]()));
    this.#worlds.clear();
  }

  /** Lets go of its databases, so that they can be copied. */
  async disconnect(): Promise<void> {
    await this.closeWorlds();
    await Promise.all(this.#pools.map((pool) => (pool.ended ? Promise.resolve() : pool.end())));
  }

  async close(): Promise<void> {
    await this.disconnect();
    await this.databases.drop();
    this.flags.remove();
  }
}

function planOf(wanted: readonly WantedStep[], policy: PlanDoc['policy']): PlanDoc {
  return planDoc.parse({
    schemaVersion: 1,
    target: { kind: 'module', domain: 'shelf', depth: 'off' },
    reason: 'the counts are wrong',
    author: 'maria',
    createdAt: new Date().toISOString(),
    fingerprint: randomBytes(8).toString('hex'),
    domains: ['shelf'],
    policy,
    risk: 'none',
    dataLossRisk: 'none',
    changes: [],
    impact: { unavailable: [], downtime: '', dependents: [], rows: 0, bytes: 0, tables: [], notes: [] },
    backup: null,
    steps: wanted.map((step, place) => ({
      key: `step ${place}`,
      action: step.action,
      version: 1,
      domain: step.domain ?? null,
      input: step.input,
      after: place > 0 ? [`step ${place - 1}`] : [],
      destructive: step.destructive ?? false,
      timeoutS: step.timeoutS ?? 0,
      onFail: step.onFail ?? 'compensate',
      undo: 'by hand',
    })),
    approvals: [],
    budgetS: 60,
    targetS: 1,
    estimateS: 1,
    warnings: [],
  });
}
