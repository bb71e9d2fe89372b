import { setTimeout as sleep } from 'node:timers/promises';
import { databaseError } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import type { StepContext } from '../engine/action.js';

import { tagOf } from './effect.service.js';

/** Nobody can be connected to a database while it is renamed, so that it is done from one that everybody has. */
const maintenance = ['postgres', 'template1'];
const OBJECT_IN_USE = '55006';

export interface DatabaseNames {
  /** In use under this name, whichever it is. */
  readonly live: string;
  readonly failed: string;
  readonly side: string;
  readonly undone: string;
}

export function namesOf({ world, runId }: Pick<StepContext, 'world' | 'runId'>): DatabaseNames {
  const live = decodeURIComponent(new URL(world.targets.databaseUrl).pathname.slice(1));
  const tag = tagOf(runId);
  const kept = live.slice(0, 63 - '_failed_'.length - tag.length);
  return { live, failed: `${kept}_failed_${tag}`, side: `belay_side_${tag}`, undone: `${kept}_undone_${tag}` };
}

/** `server` is the address of any of its databases. */
export function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

async function connectTo(server: string, database: string, applicationName: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: urlOf(server, database),
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function inDatabase<Result>(
  server: string,
  database: string,
  applicationName: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = await connectTo(server, database, applicationName);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** On the server, but in no database that a restore renames. */
export async function onServer<Result>(
  server: string,
  applicationName: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  let refusal: unknown;
  for (const database of maintenance) {
    const client = await connectTo(server, database, applicationName).catch((error: unknown) => {
      refusal = error;
    });
    if (!client) continue;
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  throw refusal;
}

/** Which of the databases there are. */
export async function presentNames(server: string, names: readonly string[]): Promise<ReadonlySet<string>> {
  return onServer(server, 'belay:names', async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT datname AS name FROM pg_database WHERE datname = ANY ($1::text[])`,
      [names],
    );
    return new Set(rows.map(({ name }) => name));
  });
}

const setting = z.object({ role: z.string().nullable(), setting: z.string() });
// As pg_dump knows them: their values are lists that are quoted already.
const lists = new Set(['search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries']);

/** Owner, grants, settings and comment: they belong to a database, not to its name. */
export async function dressAlike(server: string, from: string, to: string): Promise<void> {
  await onServer(server, 'belay:dress', async (client) => {
    const { rows } = await client.query<{ owner: string; comment: string | null; most: number; acl: boolean }>(
      `SELECT pg_get_userbyid(datdba) AS owner, shobj_description(oid, 'pg_database') AS comment, datconnlimit AS most,
              datacl IS NOT NULL AS acl
       FROM pg_database WHERE datname = $1`,
      [from],
    );
    const [dress] = rows;
    if (!dress) throw new Error(`There is no database ${from}`);
    const target = pg.escapeIdentifier(to);
    await client.query(`ALTER DATABASE ${target} OWNER TO ${pg.escapeIdentifier(dress.owner)}`);
    await client.query(`ALTER DATABASE ${target} CONNECTION LIMIT ${dress.most}`);
    await client.query(
      `COMMENT ON DATABASE ${target} IS ${dress.comment === null ? 'NULL' : pg.escapeLiteral(dress.comment)}`,
    );
    if (dress.acl) await grantAlike(client, from, target);
    const settings = await client.query(
      `SELECT r.rolname AS role, u AS setting
       FROM pg_db_role_setting s
       JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = $1
       LEFT JOIN pg_roles r ON r.oid = s.setrole
       CROSS JOIN unnest(s.setconfig) AS u`,
      [from],
    );
    for (const { role, setting: text } of z.array(setting).parse(settings.rows)) {
      const at = text.indexOf('=');
      const [name, value] = [text.slice(0, at), text.slice(at + 1)];
      const whose = role === null ? `DATABASE ${target}` : `ROLE ${pg.escapeIdentifier(role)} IN DATABASE ${target}`;
      const to = lists.has(name) ? value : pg.escapeLiteral(value);
      await client.query(`ALTER ${whose} SET ${pg.escapeIdentifier(name)} TO ${to}`);
    }
  });
}

async function grantAlike(client: pg.Client, from: string, target: string): Promise<void> {
  await client.query(`REVOKE ALL ON DATABASE ${target} FROM PUBLIC`);
  const { rows } = await client.query<{ privilege: string; grantee: string | null; grantable: boolean }>(
    `SELECT g.privilege_type AS privilege, r.rolname AS grantee, g.is_grantable AS grantable
     FROM pg_database d CROSS JOIN LATERAL aclexplode(d.datacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee
     WHERE d.datname = $1 AND g.grantee <> d.datdba`,
    [from],
  );
  for (const { privilege, grantee, grantable } of rows) {
    const to = grantee === null ? 'PUBLIC' : pg.escapeIdentifier(grantee);
    await client.query(`GRANT ${privilege} ON DATABASE ${target} TO ${to}${grantable ? ' WITH GRANT OPTION' : ''}`);
  }
}

/**
 * Renames all or none, and ends whoever is connected to one of them. The first rename holds its database against new
 * connections from the moment it begins to wait for the present ones to end, so that nobody has to be locked out before:
 * wherever this process dies, everything is as it was, or done.
 */
export async function swapNames(
  server: string,
  sessionName: string,
  renames: readonly (readonly [from: string, to: string])[],
): Promise<void> {
  const databases = renames.map(([from]) => from);
  await onServer(server, sessionName, (client) =>
    onServer(server, `${sessionName}:ends`, async (ending) => {
      for (let attempt = 1; ; attempt += 1) {
        const done = new AbortController();
        const enders = endSessions(ending, databases, done.signal);
        try {
          await client.query('BEGIN');
          for (const [from, to] of renames) {
            await client.query(`ALTER DATABASE ${pg.escapeIdentifier(from)} RENAME TO ${pg.escapeIdentifier(to)}`);
          }
          await client.query('COMMIT');
          return;
        } catch (error) {
          await client.query('ROLLBACK').catch(() => undefined);
          if (databaseError(error)?.code !== OBJECT_IN_USE || attempt === 3) throw error;
        } finally {
          done.abort();
          await enders;
        }
      }
    }),
  );
}

async function endSessions(client: pg.Client, databases: readonly string[], done: AbortSignal): Promise<void> {
  while (!done.aborted) {
    await client
      .query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY ($1::text[])`, [databases])
      .catch(() => undefined);
    await sleep(10, undefined, { signal: done }).catch(() => undefined);
  }
}
