import { createHash, randomBytes, randomUUIDv7 } from 'node:crypto';
import { join } from 'node:path';
import { directory } from '@belay/directory';
import { Database, readConfig, SigningKeys, type Config, type Domain } from '@belay/platform';
import { rollback } from '@belay/rollback';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import type { z, ZodType } from 'zod';
import { startApi, type RunningApi } from '../../apps/api/src/api.js';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { runView, type RunView } from '../../libs/rollback/src/runs/run.contract.js';
import { planView, type planTarget, type PlanView } from '../../libs/rollback/src/plans/plan.contract.js';
import { FlagsFile } from '../gate/flags-file.js';
import { insertAccount } from '../support/accounts.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { environmentOf } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { quietPool } from '../support/pool.js';

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
    const config = readConfig(
      environmentOf(databases, flags.path, {
        AUDIT_ANCHOR_FILE: join(flags.folder, 'anchors.jsonl'),
        EMERGENCY_JOURNAL_FILE: join(flags.folder, 'journal.jsonl'),
        BACKUP_DIR: join(flags.folder, 'backups'),
        ...(typeof env === 'function' ? env(flags.path) : env),
      }),
    );
    const pool = (url: string) => started.adopt(quietPool(url, 3), (opened) => opened.end());
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

  private account(kind: 'person' | 'machine', held: readonly string[]): Promise<string> {
    return insertAccount((sql, values) => this.rows(sql, values), held, kind);
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
    }, 120_000);
    return run;
  }
}
