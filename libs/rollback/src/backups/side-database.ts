import pg from 'pg';
import type { World } from '../engine/world.js';
import type { BackupManifest } from './backup.contract.js';

const PREFIX = 'belay_side_';

// As pg_dump knows them: their values are lists that are quoted already.
const lists = new Set(['search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries']);

export type SideServer = 'application' | 'control';

/**
 * A database beside the real one, made like the one that was backed up and empty. As long as it is held nobody clears
 * it away; what a process that died leaves behind is found by `dropLeftovers`.
 */
export class SideDatabase {
  private constructor(
    readonly name: string,
    readonly url: string,
    private readonly world: World,
    private readonly server: SideServer,
    private readonly holder: pg.Client,
  ) {}

  /** `tag` is eight hex digits, those at the end of a run's id; what has that name is dropped. */
  static async create(
    world: World,
    database: BackupManifest['database'],
    tag: string,
    server: SideServer = 'application',
  ): Promise<SideDatabase> {
    if (!/^[0-9a-f]{8}$/.test(tag)) throw new Error(`${tag} cannot be the tag of a side database`);
    const name = `${PREFIX}${tag}`;
    const holder = await world.connect('control', `belay:side:${tag}`);
    try {
      await hold(holder, name);
      const owner = await ownerOf(holder);
      await onServer(world, server, async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
        await client.query(`CREATE DATABASE ${name} TEMPLATE template0 ${madeLike(database)}`);
        await client.query(`COMMENT ON DATABASE ${name} IS ${pg.escapeLiteral(owner)}`);
        for (const setting of database.settings)
          await client.query(`ALTER DATABASE ${name} SET ${assignment(setting)}`);
      });
    } catch (error) {
      await holder.end();
      throw error;
    }
    return new SideDatabase(name, urlOf(world, server, name), world, server, holder);
  }

  /** Lets go of it without dropping it: it got another name, or somebody else holds it. */
  async release(): Promise<void> {
    await this.holder.end();
  }

  async drop(): Promise<void> {
    try {
      await onServer(this.world, this.server, (client) =>
        client.query(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`),
      );
    } finally {
      await this.holder.end();
    }
  }
}

/** Drops the side databases of this installation that nobody holds any more; says which. */
export async function dropLeftovers(world: World): Promise<readonly string[]> {
  const dropped: string[] = [];
  const holder = await world.connect('control', 'belay:side:leftovers');
  try {
    const owner = await ownerOf(holder);
    for (const server of ['application', 'control'] as const) {
      await onServer(world, server, async (client) => {
        const { rows } = await client.query<{ name: string }>(
          `SELECT datname AS name FROM pg_database
           WHERE datname LIKE $1 AND shobj_description(oid, 'pg_database') = $2`,
          [`${PREFIX.replaceAll('_', '\\_')}%`, owner],
        );
        for (const { name } of rows) {
          if (!(await tryHold(holder, name))) continue;
          await client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
          dropped.push(name);
        }
      });
    }
  } finally {
    await holder.end();
  }
  return dropped;
}

async function hold(holder: pg.Client, name: string): Promise<void> {
  if (!(await tryHold(holder, name))) throw new Error(`${name} is in use by somebody else`);
}

async function tryHold(holder: pg.Client, name: string): Promise<boolean> {
  const { rows } = await holder.query<{ held: boolean }>(
    `SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held`,
    [name],
  );
  return rows[0]?.held === true;
}

/** Several installations may share a server: each knows its own by the name of its memory. */
async function ownerOf(control: pg.Client): Promise<string> {
  const { rows } = await control.query<{ name: string }>('SELECT current_database() AS name');
  return `side database of ${rows[0]?.name ?? ''}`;
}

/** For CREATE DATABASE. */
export function madeLike({ encoding, collate, ctype, provider, locale }: BackupManifest['database']): string {
  const parts = [
    `ENCODING ${pg.escapeLiteral(encoding)}`,
    `LC_COLLATE ${pg.escapeLiteral(collate)}`,
    `LC_CTYPE ${pg.escapeLiteral(ctype)}`,
  ];
  if (provider === 'i') parts.push('LOCALE_PROVIDER icu', `ICU_LOCALE ${pg.escapeLiteral(locale ?? '')}`);
  if (provider === 'b') parts.push('LOCALE_PROVIDER builtin', `BUILTIN_LOCALE ${pg.escapeLiteral(locale ?? '')}`);
  return parts.join(' ');
}

function assignment(setting: string): string {
  const at = setting.indexOf('=');
  const [name, value] = [setting.slice(0, at), setting.slice(at + 1)];
  return `${pg.escapeIdentifier(name)} TO ${lists.has(name) ? value : pg.escapeLiteral(value)}`;
}

function urlOf(world: World, server: SideServer, name: string): string {
  const { databaseUrl, controlUrl } = world.targets;
  const url = new URL(server === 'control' ? controlUrl : databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function onServer(
  world: World,
  server: SideServer,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = await world.connect(server, 'belay:side');
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
