import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  Caller,
  Database,
  DeadLetters,
  Inbox,
  Jobs,
  NestLogger,
  Outbox,
  PlatformModule,
  Queues,
  readConfig,
  startRuntime,
  type Config,
  type Domain,
  type QueueCounts,
} from '@belay/platform';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type pg from 'pg';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { FlagsFile } from '../gate/flags-file.js';
import { createDatabases } from '../support/databases.js';
import { eventually } from '../support/eventually.js';
import type { Backend } from './backends.js';
import { gallery, tower, workshop, workshopSql } from './workshop.js';
import { quietPool } from '../support/pool.js';

const domains = [workshop, gallery, tower];

/** Waits for what must come true; generous, because a busy machine is no defect. */
export function soon(holds: () => Promise<void> | void, withinMs = 20_000): Promise<number> {
  return eventually(holds, withinMs);
}

export interface Effect {
  readonly what: string;
  readonly part: string;
  readonly pid: number;
}

export interface WorkerProcess {
  readonly pid: number;
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

/** Databases, flags and queues of a suite, an application that asks for work, and workers in this process or of their own. */
export class TestWorkers {
  readonly flags = new FlagsFile(domains);
  readonly #children = new Map<ChildProcess, Promise<unknown>>();
  readonly #workers = new Set<RunningWorker>();

  private constructor(
    readonly env: Readonly<Record<string, string>>,
    private readonly pool: pg.Pool,
    private readonly control: pg.Pool,
    private readonly producer: Producer,
    private readonly dropped: () => Promise<void>,
  ) {}

  static async on(backend: Backend): Promise<TestWorkers> {
    const { env: queueEnv, stop } = await backend.start();
    const databases = await createDatabases();
    const env = {
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      SECRET_KEY: randomBytes(32).toString('base64'),
      DATABASE_URL: databases.databaseUrl,
      CONTROL_DATABASE_URL: databases.controlUrl,
      JOB_LOCK_MS: '1000',
      ...queueEnv,
    };
    const pool = quietPool(databases.databaseUrl);
    const control = quietPool(databases.controlUrl, 2);
    await pool.query(workshopSql);
    const producer = await openProducer(readConfig(env));
    return new TestWorkers(env, pool, control, producer, async () => {
      await producer.close();
      await pool.end();
      await control.end();
      await databases.drop();
      await stop();
    });
  }

  get queues(): Queues {
    return this.producer.get(Queues);
  }

  get jobs(): Jobs {
    return this.producer.get(Jobs);
  }

  get deadLetters(): DeadLetters {
    return this.producer.get(DeadLetters);
  }

  get outbox(): Outbox {
    return this.producer.get(Outbox);
  }

  get inbox(): Inbox {
    return this.producer.get(Inbox);
  }

  get database(): Database {
    return this.producer.get(Database);
  }

  /** Somebody's request. */
  caller(requestId: string = randomUUID()): Caller {
    return Caller.system(requestId);
  }

  /** The foundry says that it cast a part; `how` says how long it takes to receive it. */
  async announce(part: string, how: { before?: number; after?: number } = {}, requestId?: string): Promise<void> {
    const event = { name: 'foundry.part-cast', body: { part, ...how } };
    await this.database.transaction(this.caller(requestId), (tx) => this.outbox.add(tx, event, 'foundry'));
  }

  counts(domain = 'workshop'): Promise<QueueCounts> {
    return this.queues.counts(domain);
  }

  async effects(what: string, part?: string): Promise<Effect[]> {
    return this.rows<Effect>(
      `SELECT what, part, pid FROM workshop.effect WHERE what = $1 AND ($2::text IS NULL OR part = $2) ORDER BY id`,
      [what, part ?? null],
    );
  }

  async rows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, [...values])).rows;
  }

  async controlRows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.control.query<Row>(sql, [...values])).rows;
  }

  /** Nobody may write anything, as during a restore. */
  async stopWrites(off: boolean): Promise<void> {
    await this.control.query(
      `INSERT INTO control.flag_override (flag, off, reason, actor) VALUES ('platform_writes', $1, 'a test', 'test')
       ON CONFLICT (scope, flag) DO UPDATE SET off = excluded.off, seq = DEFAULT`,
      [off],
    );
  }

  /** A worker in this process. */
  async start(config: Partial<Config> = {}, those: readonly Domain[] = domains): Promise<RunningWorker> {
    const worker = await startWorker({ config: { ...this.config(), ...config }, domains: those });
    this.#workers.add(worker);
    return worker;
  }

  /** A worker in a process of its own. */
  async spawn(): Promise<WorkerProcess> {
    const child = fork(fileURLToPath(new URL('processes/worker.ts', import.meta.url)), {
      execArgv: ['--import', new URL('../support/ts-loader.mjs', import.meta.url).href],
      env: { ...this.env, FLAGS_FILE: this.flags.path },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const ended = once(child, 'exit');
    this.#children.set(child, ended);
    const told = await Promise.race([once(child, 'message'), ended.then(() => undefined)]);
    if (told === undefined || child.pid === undefined) throw new Error('The worker did not start');
    return {
      pid: child.pid,
      kill: async (signal) => {
        child.kill(signal);
        await ended;
        this.#children.delete(child);
      },
    };
  }

  /** Ends all processes that were spawned, as a power cut would. */
  async killAll(): Promise<void> {
    await Promise.all(
      [...this.#children].map(([child, ended]) => {
        child.kill('SIGKILL');
        return ended;
      }),
    );
    this.#children.clear();
  }

  async close(): Promise<void> {
    await this.killAll();
    await Promise.all([...this.#workers].map((worker) => worker.close()));
    await this.dropped();
    this.flags.remove();
  }

  private config(): Config {
    return readConfig({ ...this.env, FLAGS_FILE: this.flags.path });
  }
}

interface Producer {
  get<Service>(service: new (...args: never[]) => Service): Service;
  close(): Promise<void>;
}

@Module({})
class ProducerModule {}

/** What a domain's HTTP half has: it can ask for work and does none. */
async function openProducer(config: Config): Promise<Producer> {
  const runtime = await startRuntime('api', domains, config);
  const module = { module: ProducerModule, imports: [PlatformModule.forRoot([], runtime)] };
  const options = { logger: new NestLogger(runtime.log), abortOnError: false };
  // Nest declares these options as a class and expects a literal.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  const app = await NestFactory.createApplicationContext(module, options);
  return {
    get: (service) => app.get(service),
    close: async () => {
      await app.close();
      await runtime.close();
    },
  };
}
