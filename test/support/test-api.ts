import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { readConfig, SigningKeys, startRuntime, type Config, type Domain, type RunningRuntime } from '@belay/platform';
import { directory } from '@belay/directory';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { LightMyRequestResponse } from 'fastify';
import type pg from 'pg';
import type { ZodType } from 'zod';
import { composeApi } from '../../apps/api/src/compose.js';
import { insertAccount } from './accounts.js';
import { createDatabases } from './databases.js';
import { quietPool } from './pool.js';

export interface TestApiOptions {
  readonly config?: Partial<Config>;
  /** SQL that the application database gets before the application starts. */
  readonly sql?: string;
}

interface Shared {
  readonly app: NestFastifyApplication;
  readonly runtime: RunningRuntime;
  readonly pool: pg.Pool;
  readonly stop: AsyncDisposableStack;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
type Headers = Readonly<Record<string, string>>;

const environment = {
  NODE_ENV: 'test',
  LOG_LEVEL: 'silent',
  SECRET_KEY: randomBytes(32).toString('base64'),
  FLAGS_FILE: fileURLToPath(new URL('no-flags.json', import.meta.url)),
};

/** Tests are about what a domain does when it is on; those of the gate itself bring their own flags. */
function switchedOn(domain: Domain): Domain {
  return { ...domain, defaultOn: true, features: domain.features.map((feature) => ({ ...feature, defaultOn: true })) };
}

/**
 * The real application on databases of its own, without a port. Each method sends one request, expects the status and
 * answers the body; a schema makes it typed and checks it.
 */
export class TestApi {
  private constructor(
    private readonly shared: Shared,
    /** Sent with every request. */
    readonly headers: Headers = {},
  ) {}

  /** Directory and the given domains, signed in as nobody. */
  static with(...domains: Domain[]): Promise<TestApi> {
    return TestApi.start({}, ...domains);
  }

  static async start({ config = {}, sql }: TestApiOptions, ...domains: Domain[]): Promise<TestApi> {
    await using started = new AsyncDisposableStack();
    const databases = started.adopt(await createDatabases(), (one) => one.drop());
    const { databaseUrl, controlUrl } = databases;
    const pool = started.adopt(quietPool(databaseUrl), (one) => one.end());
    if (sql !== undefined) await pool.query(sql);

    const enabled = [...new Set([directory, ...domains])].map(switchedOn);
    const usable = readConfig({ DATABASE_URL: databaseUrl, CONTROL_DATABASE_URL: controlUrl, ...environment });
    const runtime = await startRuntime('api', enabled, { ...usable, ...config });
    started.defer(() => runtime.close());
    const app = started.adopt(await composeApi(runtime, enabled), (one) => one.close());
    return new TestApi({ app, runtime, pool, stop: started.move() });
  }

  /** A second process on the same databases; closed by `app.close()`. */
  async another(): Promise<TestApi> {
    const { runtime } = this.shared;
    return new TestApi({ ...this.shared, app: await composeApi(runtime, runtime.domains) });
  }

  get config(): Config {
    return this.shared.runtime.config;
  }

  get app(): NestFastifyApplication {
    return this.shared.app;
  }

  /** Somebody new who holds exactly these roles and permissions (the names with a colon) everywhere. */
  async as(...held: string[]): Promise<TestApi> {
    const id = await insertAccount((sql, values) => this.rows(sql, values), held);
    return this.asAccount(id);
  }

  /** Signed in as an account there is. */
  async asAccount(accountId: string): Promise<TestApi> {
    const now = Math.floor(Date.now() / 1000);
    const { token } = await this.app.get(SigningKeys).issue(accountId, { authTime: now, session: randomUUIDv7() });
    return this.withHeaders({ authorization: `Bearer ${token}` });
  }

  /** The same, with further headers on every request. */
  withHeaders(headers: Headers): TestApi {
    return new TestApi(this.shared, { ...this.headers, ...headers });
  }

  get(path: string, status?: number): Promise<unknown>;
  get<Answer>(path: string, status: number, schema: ZodType<Answer>): Promise<Answer>;
  get(path: string, status = 200, schema?: ZodType): Promise<unknown> {
    return this.expect('GET', path, undefined, status, schema);
  }

  post(path: string, body?: object, status?: number): Promise<unknown>;
  post<Answer>(path: string, body: object | undefined, status: number, schema: ZodType<Answer>): Promise<Answer>;
  post(path: string, body?: object, status = 200, schema?: ZodType): Promise<unknown> {
    return this.expect('POST', path, body, status, schema);
  }

  put(path: string, body: object, status?: number): Promise<unknown>;
  put<Answer>(path: string, body: object, status: number, schema: ZodType<Answer>): Promise<Answer>;
  put(path: string, body: object, status = 200, schema?: ZodType): Promise<unknown> {
    return this.expect('PUT', path, body, status, schema);
  }

  patch(path: string, body: object, status?: number): Promise<unknown>;
  patch<Answer>(path: string, body: object, status: number, schema: ZodType<Answer>): Promise<Answer>;
  patch(path: string, body: object, status = 200, schema?: ZodType): Promise<unknown> {
    return this.expect('PATCH', path, body, status, schema);
  }

  delete(path: string, status?: number): Promise<unknown>;
  delete<Answer>(path: string, status: number, schema: ZodType<Answer>): Promise<Answer>;
  delete(path: string, status = 204, schema?: ZodType): Promise<unknown> {
    return this.expect('DELETE', path, undefined, status, schema);
  }

  /** The whole response, for its headers or for a body that is no object. */
  send(method: Method, path: string, body?: object | string, headers: Headers = {}): Promise<LightMyRequestResponse> {
    const payload = body === undefined ? {} : { payload: body };
    const type: Headers = typeof body === 'string' ? { 'content-type': 'application/json' } : {};
    return this.app.inject({ method, url: path, headers: { ...type, ...this.headers, ...headers }, ...payload });
  }

  /** Rows of the application database. */
  async rows<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.shared.pool.query<Row>(sql, [...values])).rows;
  }

  async close(): Promise<void> {
    await this.shared.stop.disposeAsync();
  }

  private async expect(
    method: Method,
    path: string,
    body: object | undefined,
    status: number,
    schema?: ZodType,
  ): Promise<unknown> {
    const response = await this.send(method, path, body);
    if (response.statusCode !== status) {
      throw new Error(
        `${method} ${path} answered ${response.statusCode} instead of ${status}: ${response.body.slice(0, 2_000)}`,
      );
    }
    const answer: unknown = response.body === '' ? undefined : response.json();
    return schema ? schema.parse(answer) : answer;
  }
}
