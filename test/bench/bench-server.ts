import { createHash, randomBytes, randomUUIDv7 } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directory } from '@belay/directory';
import { defaultFlagsDocument, migrateAll, type Domain } from '@belay/platform';
import pg from 'pg';
import { EmbeddedPostgres } from '../../apps/cli/src/local/embedded-postgres.js';
import { ledgers } from '../../migrations/index.js';

/** A PostgreSQL of its own with everything migrated, some domains switched on whole, and what a process needs to use both. */
export class BenchServer {
  /** What an API or a worker of the benchmark is started with. */
  readonly environment: Readonly<Record<string, string>>;

  private constructor(
    private readonly folder: string,
    private readonly server: EmbeddedPostgres,
    /** To fill the application database, and to look into it. */
    readonly database: pg.Client,
    flagsFile: string,
  ) {
    this.environment = {
      DATABASE_URL: server.url('belay'),
      CONTROL_DATABASE_URL: server.url('belay_control'),
      SECRET_KEY: randomBytes(32).toString('base64'),
      FLAGS_FILE: flagsFile,
      PORT: '0',
      LOG_LEVEL: 'error',
      RATE_LIMIT_PER_MINUTE: '100000000',
    };
  }

  /** `durable: false` has no disk to wait for. */
  static async open(
    domain: Domain | readonly Domain[],
    { durable }: { readonly durable: boolean },
  ): Promise<BenchServer> {
    const folder = await mkdtemp(join(tmpdir(), 'belay-bench-'));
    const server = await EmbeddedPostgres.start({ folder: join(folder, 'postgres'), durable });
    for (const name of ['belay', 'belay_control']) await server.ensureDatabase(name);
    await migrateAll({ databaseUrl: server.url('belay'), controlUrl: server.url('belay_control') }, ledgers);

    const flagsFile = join(folder, 'flags.json');
    const domains = [domain].flat();
    const flags = defaultFlagsDocument([directory, ...domains]);
    const on = new Set(domains.flatMap(({ flag, features }) => [flag, ...features.map((feature) => feature.flag)]));
    const features = flags.features.map((flag) => ({ ...flag, enabled: on.has(flag.name) }));
    await writeFile(flagsFile, JSON.stringify({ ...flags, features }));

    const database = new pg.Client({ connectionString: server.url('belay') });
    await database.connect();
    return new BenchServer(folder, server, database, flagsFile);
  }

  /** Of the application database. */
  get url(): string {
    return this.server.url('belay');
  }

  /** An API token, for two hours, of a new account with these roles and permissions (the names with a colon) everywhere. */
  async signUp(...held: readonly string[]): Promise<string> {
    const account = randomUUIDv7();
    const secret = `bly_${randomBytes(32).toString('base64url')}`;
    await this.database.query(
      `INSERT INTO directory.account (id, kind, username, display_name, row_version) VALUES ($1, 'machine', 'bench', 'Bench', 1)`,
      [account],
    );
    for (const name of held) {
      const [table, column] = name.includes(':') ? ['account_permission', 'permission'] : ['account_role', 'role'];
      await this.database.query(`INSERT INTO directory.${table} (id, account_id, ${column}) VALUES ($1, $2, $3)`, [
        randomUUIDv7(),
        account,
        name,
      ]);
    }
    await this.database.query(
      `INSERT INTO directory.api_token (id, account_id, name, prefix, hash, scopes, expires_at)
       VALUES ($1, $2, 'bench', $3, $4, '{*}', clock_timestamp() + interval '2 hours')`,
      [randomUUIDv7(), account, secret.slice(0, 12), createHash('sha256').update(secret).digest('hex')],
    );
    return secret;
  }

  async close(): Promise<void> {
    await this.database.end();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
