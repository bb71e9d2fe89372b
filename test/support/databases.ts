import { randomUUID } from 'node:crypto';
import pg from 'pg';

export const templates = { application: 'belay_template', control: 'belay_control_template' } as const;

export interface TestDatabases {
  readonly databaseUrl: string;
  readonly controlUrl: string;
  /** Ends whoever is still connected. */
  drop(): Promise<void>;
}

/** The server of this test run, as superuser. */
function adminUrl(): string {
  // eslint-disable-next-line no-restricted-properties -- how Jest's global setup tells its workers
  const url = process.env['BELAY_TEST_SERVER'];
  if (url === undefined) throw new Error('No test server: this suite belongs to the project `postgres`');
  return url;
}

/** A migrated application and control database that nobody else uses, or copies of two that nobody is connected to. */
export async function createDatabases(
  from: Readonly<Record<keyof typeof templates, string>> = templates,
): Promise<TestDatabases> {
  const tag = randomUUID().replaceAll('-', '').slice(0, 16);
  const names = { application: `t_${tag}`, control: `t_${tag}_control` };
  await onServer(async (admin) => {
    await clone(admin, from.application, names.application);
    await clone(admin, from.control, names.control);
  });
  return {
    databaseUrl: urlOf(names.application),
    controlUrl: urlOf(names.control),
    drop: () => dropDatabases(Object.values(names)),
  };
}

/** A database without anything in it. */
export async function createEmptyDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `t_${randomUUID().replaceAll('-', '').slice(0, 16)}_empty`;
  await onServer((admin) => admin.query(`CREATE DATABASE ${name}`));
  return { url: urlOf(name), drop: () => dropDatabases([name]) };
}

/** With the template's settings, search_path above all: they belong to its name and are not copied by themselves. */
async function clone(admin: pg.Client, template: string, name: string): Promise<void> {
  // Copying files is four times as fast as the default, which writes every page to the log as well.
  await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
  const { rows } = await admin.query<{ sql: string }>(
    `SELECT format('ALTER DATABASE %I SET %s TO %s', $2::text, split_part(setting, '=', 1),
                   substr(setting, strpos(setting, '=') + 1)) AS sql
     FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS setting
     WHERE d.datname = $1 AND s.setrole = 0`,
    [template, name],
  );
  for (const { sql } of rows) await admin.query(sql);
}

async function dropDatabases(names: readonly string[]): Promise<void> {
  await onServer(async (admin) => {
    for (const name of names) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });
}

async function onServer<Result>(work: (admin: pg.Client) => Promise<Result>): Promise<Result> {
  const admin = new pg.Client({ connectionString: adminUrl() });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(adminUrl());
  url.pathname = `/${database}`;
  return url.href;
}
