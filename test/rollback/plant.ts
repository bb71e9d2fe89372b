import { createHash, randomBytes, randomUUIDv7 } from 'node:crypto';
import { join } from 'node:path';
import { directory } from '@belay/directory';
import { Database, readConfig, SigningKeys, type Config, type Domain } from '@belay/platform';
import { rollback } from '@belay/rollback';
import pg from 'pg';
import { DataSource } from 'typeorm';
import type { z, ZodType } from 'zod';
import { startApi, type RunningApi } from '../../apps/api/src/api.js';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { runView, type RunView } from '../../libs/rollback/src/runs/run.contract.js';
import { planView, type planTarget, type PlanView } from '../../libs/rollback/src/plans/plan.contract.js';
import { FlagsFile } from '../gate/flags-file.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { eventually } from '../support/eventually.js';

/** A reason that is long enough. */
export const because = 'the counts are wrong since noon';

/** An API that listens and a worker that carries runs out, on databases of their own, with every domain switched on. */
export class Plant {
  private constructor(
    readonly databases: TestDatabases,
    readonly flags: FlagsFile,
    readonly config: Config,
    readonly api: RunningApi,
    readonly worker: RunningWorker,
    private readonly pools: { readonly application: pg.Pool; readonly control: pg.Pool },
    private readonly keys: SigningKeys,
    private readonly stop: AsyncDisposableStack,
  ) {}

  static async open({
    domains,
    env = {},
    sql,
  }: {
    readonly domains: readonly Domain[];
    readonly env?: Readonly<Record<string, string>> | ((flagsPath: string) => Readonly<Record<string, string>>);
    readonly sql?: string;
  }): Promise<Plant> {
    await using started = new AsyncDisposableStack();
    const databases = started.adopt(await createDatabases(), (one) => one.drop());
    const all: readonly Domain[] = [directory, ...domains, rollback];
    const on = all.flatMap(({ flag, features }) => [flag ?? [], features.map((one) => one.flag)].flat());
    const flags = started.adopt(new FlagsFile(all, on), (one) => {
      one.remove();
    });
    const config = readConfig({
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      SECRET_KEY: randomBytes(32).toString('base64'),
      DATABASE_URL: databases.databaseUrl,
      CONTROL_DATABASE_URL: databases.controlUrl,
      FLAGS_FILE: flags.path,
      AUDIT_ANCHOR_FILE: join(flags.folder, 'anchors.jsonl'),
      EMERGENCY_JOURNAL_FILE: join(flags.folder, 'journal.jsonl'),
      BACKUP_DIR: join(flags.folder, 'backups'),
      PORT: '0',
      RATE_LIMIT_PER_MINUTE: '1000000',
      ANONYMOUS_RATE_LIMIT_PER_MINUTE: '1000000',
      ...(typeof env === 'function' ? env(flags.path) : env),
    });
    const pool = (connectionString: string) => {
      const one = new pg.Pool({ connectionString, max: 3 });
      one.on('error', () => undefined);
      return started.adopt(one, (opened) => opened.end());
    };
    const pools = { application: pool(databases.databaseUrl), control: pool(databases.controlUrl) };
    if (sql !== undefined) await pools.application.query(sql);
    const source = new DataSource({ type: 'postgres', url: databases.databaseUrl, installExtensions: false });
    await started.adopt(source, (one) => one.destroy()).initialize();
    const api = started.adopt(await startApi({ config, domains: all }), (one) => one.close());
    const worker = started.adopt(await startWorker({ config, domains: all }), (one) => one.close());
    const keys = new SigningKeys(new Database(source), config);
    return new Plant(databases, flags, config, api, worker, pools, keys, started.move());
  }

  /** Somebody new who has signed in and holds these roles and permissions (the names with a colon) everywhere. */
  async as(...held: readonly string[]): Promise<Person> {
    const id = await this.account('person', held);
    const authTime = Math.floor(Date.now() / 1000);
    const { token } = await this.keys.issue(id, { authTime, session: randomUUIDv7() });
    return new Person(id, this.api.url, token);
  }

  /** A program with an account of its own, which shows an API token for all that this may do. */
  async machine(...held: readonly string[]): Promise<Person> {
    return this.tokenOf({ id: await this.account('machine', held) });
  }

  /** What acts with an API token of that account. */
  async tokenOf({ id }: Pick<Person, 'id'>): Promise<Person> {
    const token = `bly_${randomBytes(32).toString('base64url')}`;
    await this.rows(
      `INSERT INTO directory.api_token (id, account_id, name, prefix, hash, scopes, expires_at)
       VALUES ($1, $2, 'a program', $3, $4, '{*}', now() + interval '1 hour')`,
      [randomUUIDv7(), id, token.slice(0, 12), createHash('sha256').update(token).digest('hex')],
    );
    return new Person(id, this.api.url, token);
  }

  private async account(kind: 'person' | 'machine', held: readonly string[]): Promise<string> {
    const id = randomUUIDv7();
    await this.rows(
      `INSERT INTO directory.account (id, kind, username, display_name, row_version) VALUES ($1, $2, $3, $4, 1)`,
      [id, kind, `user-${id}`, `User ${id}`],
    );
    for (const name of held) {
      const [table, column] = name.includes(':') ? ['account_permission', 'permission'] : ['account_role', 'role'];
      await this.rows(`INSERT INTO directory.${table} (id, account_id, ${column}) VALUES ($1, $2, $3)`, [
        randomUUIDv7(),
        id,
        name,
      ]);
    }
    return id;
  }

  /** In the application database. */
  async rows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pools.application.query<Row>(sql, [...values])).rows;
  }

  async control<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pools.control.query<Row>(sql, [...values])).rows;
  }

  async close(): Promise<void> {
    await this.stop.disposeAsync();
  }
}

/** Asks the API by HTTP. */
export class Person {
  constructor(
    readonly id: string,
    private readonly url: string,
    private readonly token: string,
  ) {}

  send(method: string, path: string, body?: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body && { 'content-type': 'application/json' }),
        ...(method === 'POST' && { 'idempotency-key': randomUUIDv7() }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  async ask<Schema extends ZodType>(
    method: string,
    path: string,
    schema: Schema,
    body?: object,
    status = method === 'POST' ? 201 : 200,
  ): Promise<z.infer<Schema>> {
    const response = await this.send(method, path, body);
    const text = await response.text();
    if (response.status !== status) {
      throw new Error(`${method} ${path} answered ${response.status} instead of ${status}: ${text.slice(0, 2_000)}`);
    }
    return schema.parse(JSON.parse(text));
  }

  /** `201`, or `409 slug`. */
  async outcome(method: string, path: string, body?: object): Promise<string> {
    const response = await this.send(method, path, body);
    const answer: unknown = await response.json().catch(() => ({}));
    const code: unknown = Reflect.get(Object(answer), 'code');
    return typeof code === 'string' ? `${response.status} ${code}` : String(response.status);
  }

  plan(target: z.input<typeof planTarget>): Promise<PlanView> {
    return this.ask('POST', '/api/rollback/plans', planView, { target, reason: because });
  }

  run(planId: string): Promise<RunView> {
    return this.ask('POST', '/api/rollback/runs', runView, { planId, reason: because });
  }

  /** Once it is in one of the states. */
  async until(runId: string, ...states: readonly string[]): Promise<RunView> {
    let run = await this.ask('GET', `/api/rollback/runs/${runId}`, runView);
    await eventually(async () => {
      run = await this.ask('GET', `/api/rollback/runs/${runId}`, runView);
      if (!states.includes(run.state)) throw new Error(`the run is ${run.state}: ${JSON.stringify(run.steps)}`);
    }, 30_000);
    return run;
  }
}
