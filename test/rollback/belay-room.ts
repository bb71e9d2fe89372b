import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { domains } from '@belay/domains';
import { defaultFlagsDocument } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import { demoPassword, loadDemo } from '../../apps/cli/src/demo/load-demo.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { InnerLine, ProcessLine } from './command-line.js';
import { quietPool } from '../support/pool.js';

const program = (name: string) => resolve('dist', 'apps', name, 'src', 'main.js');
const address = z.object({ url: z.string().optional() });

/**
 * Belay as it runs at a company: two databases with the demo people, the built programs as processes, and a flag server
 * that is dead, so that flags come from the last state that was seen of it, with the warehouse on.
 */
export class BelayRoom {
  readonly pool: pg.Pool;
  readonly control: pg.Pool;
  /** Commands as processes. */
  readonly processes: ProcessLine;
  /** Commands within this one. */
  readonly here: InnerLine;
  readonly #children = new Set<ChildProcess>();

  private constructor(
    readonly databases: TestDatabases,
    readonly folder: string,
    readonly env: Readonly<Record<string, string>>,
  ) {
    const typed = { ...env, BELAY_PASSWORD: demoPassword };
    this.processes = new ProcessLine(folder, typed);
    this.here = new InnerLine(folder, typed);
    this.pool = quietPool(databases.databaseUrl);
    this.control = quietPool(databases.controlUrl);
  }

  /** On databases of its own unless somebody brings some; they are dropped in the end. */
  static async open(given?: TestDatabases): Promise<BelayRoom> {
    if (!existsSync(program('cli'))) throw new Error('These tests run the build: npm run build');
    const databases = given ?? (await createDatabases());
    await loadDemo(databases.databaseUrl, 'test');
    const folder = mkdtempSync(join(tmpdir(), 'belay-room-'));
    const flags = defaultFlagsDocument(domains);
    const features = flags.features.map((one) => ({ ...one, enabled: one.enabled || one.name.includes('wms') }));
    const state = join(folder, '.belay');
    mkdirSync(join(state, 'flags'), { recursive: true });
    writeFileSync(join(state, 'flags', 'unleash.json'), JSON.stringify({ ...flags, features }));
    return new BelayRoom(databases, folder, {
      NODE_ENV: 'test',
      LOG_LEVEL: 'error',
      PORT: '0',
      SECRET_KEY: randomBytes(32).toString('base64'),
      DATABASE_URL: databases.databaseUrl,
      CONTROL_DATABASE_URL: databases.controlUrl,
      UNLEASH_URL: 'http://127.0.0.1:9/api',
      UNLEASH_TOKEN: 'dead',
      RATE_LIMIT_PER_MINUTE: '1000000',
      ANONYMOUS_RATE_LIMIT_PER_MINUTE: '1000000',
      FLAGS_BACKUP_DIR: join(state, 'flags'),
      BACKUP_DIR: join(state, 'backups'),
      AUDIT_ANCHOR_FILE: join(state, 'audit-anchors.jsonl'),
      EMERGENCY_JOURNAL_FILE: join(state, 'emergency-journal.jsonl'),
      NODE_COMPILE_CACHE: join(tmpdir(), 'belay-compile-cache'),
    });
  }

  /** The command as from a terminal; `--as` signs in with the password of the demo. */
  belay(...typed: Parameters<ProcessLine['belay']>): ReturnType<ProcessLine['belay']> {
    return this.processes.belay(...typed);
  }

  json<Answer>(args: readonly string[], shape: z.ZodType<Answer>, code = 0): Promise<Answer> {
    return this.processes.json(args, shape, code);
  }

  text(args: readonly string[], code = 0): Promise<string> {
    return this.processes.text(args, code);
  }

  /** An API or a worker; answers where it listens. */
  async start(name: 'api' | 'worker'): Promise<string> {
    const child = fork(program(name), [], { cwd: this.folder, env: this.env, execArgv: ['--enable-source-maps'] });
    this.#children.add(child);
    const ended = once(child, 'exit').then(() => {
      throw new Error(`The ${name} ended`);
    });
    const answer: unknown[] = await Promise.race([once(child, 'message'), ended]);
    ended.catch(() => undefined);
    return address.parse(answer[0]).url ?? '';
  }

  /** Ends whatever still runs. */
  async stop(): Promise<void> {
    const children = [...this.#children];
    this.#children.clear();
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        await gone;
      }),
    );
  }

  async rows<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, values)).rows;
  }

  /** Rows and content of every table of a schema, whatever the order of the rows. */
  async contentOf(schema: string): Promise<Record<string, string>> {
    const tables = await this.rows<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_schema = $1 AND table_type = 'BASE TABLE' ORDER BY 1`,
      [schema],
    );
    const content: Record<string, string> = {};
    for (const { name } of tables) {
      const [row] = await this.rows<{ told: string }>(
        `SELECT count(*) || ' rows, ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) AS told FROM ${name} t`,
      );
      content[name] = row?.told ?? '';
    }
    return content;
  }

  async close(): Promise<void> {
    await Promise.all([this.stop(), this.processes.close()]);
    await Promise.all([this.pool.end(), this.control.end()]);
    await this.dropCopies();
    await this.databases.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Side and failed databases stand under names that begin with ours. */
  private async dropCopies(): Promise<void> {
    const url = new URL(this.databases.databaseUrl);
    const name = url.pathname.slice(1);
    url.pathname = '/postgres';
    const admin = new pg.Client({ connectionString: url.href });
    await admin.connect();
    try {
      const { rows } = await admin.query<{ datname: string }>(
        `SELECT datname FROM pg_database WHERE starts_with(datname, $1) AND datname <> $1 AND datname <> $1 || '_control'`,
        [name],
      );
      for (const { datname } of rows) await admin.query(`DROP DATABASE IF EXISTS "${datname}" WITH (FORCE)`);
    } finally {
      await admin.end();
    }
  }
}
