import { catalogFingerprint } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import type { BackupManifest, BackupScope } from './backup.contract.js';

/** Effects done once and fences are about the database that is there, not about the one that was. */
const neverBackedUp = ['platform.step_marker', 'platform.fence'];

/** Rows of other domains' tables that belong to the domain they name. */
const namedRows = ['platform.inbox', 'platform.idempotency_key'];

export interface SourceTable {
  readonly domain: string;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly where: string | null;
  /** On the disk, without indexes. */
  readonly bytes: number;
}

type Ledger = BackupManifest['ledger'];

export interface Source extends Pick<
  BackupManifest,
  | 'server'
  | 'database'
  | 'snapshot'
  | 'snapshotAt'
  | 'wal'
  | 'domains'
  | 'catalogs'
  | 'leftOut'
  | 'extensions'
  | 'partitions'
  | 'materializedViews'
> {
  readonly ledger: Ledger;
  readonly tables: readonly SourceTable[];
  readonly catalogOf: ReadonlyMap<string, Awaited<ReturnType<typeof catalogFingerprint>>['catalog']>;
}

/** Everything about the database but its rows, in the transaction of the client. `order` is that of the build's domains. */
export async function readSource(client: pg.ClientBase, scope: BackupScope, order: readonly string[]): Promise<Source> {
  const [head] = await rowsOf(client, headRow, headOf);
  if (!head) throw new Error('The server does not say what it is');
  const ledger = await readLedger(client, order);
  const known = [...new Set(ledger.map(({ domain }) => domain))];
  const domains = scope.kind === 'domains' ? known.filter((domain) => scope.domains.includes(domain)) : known;
  const missing = scope.kind === 'domains' ? scope.domains.filter((domain) => !domains.includes(domain)) : [];
  if (missing.length > 0) throw new Error(`${missing.join(', ')} was never migrated here`);

  const own = (await rowsOf(client, tableRow, tables, [domains, neverBackedUp])).map((table) => ({
    ...table,
    where: null,
  }));
  const wanted = domains.map((domain) => pg.escapeLiteral(domain)).join(', ');
  const parts =
    scope.kind === 'domains' && !domains.includes('platform')
      ? (await rowsOf(client, tableRow, tables, [['platform'], neverBackedUp]))
          .filter(({ schema, table }) => namedRows.includes(`${schema}.${table}`))
          .map((table) => ({ ...table, where: `t.domain IN (${wanted})` }))
      : [];
  const catalogs: Source['catalogs'] = [];
  const catalogOf = new Map<string, Awaited<ReturnType<typeof catalogFingerprint>>['catalog']>();
  for (const domain of domains) {
    const { sha256, catalog } = await catalogFingerprint(client, domain);
    catalogOf.set(domain, catalog);
    const found = Object.keys(catalog).flatMap((object) => (object.startsWith('table ') ? [object.slice(6)] : []));
    catalogs.push({ domain, fingerprint: sha256, tables: found.filter((name) => !neverBackedUp.includes(name)) });
  }
  return {
    ...head,
    domains,
    ledger,
    tables: [...own, ...parts],
    catalogs,
    catalogOf,
    leftOut: (await rowsOf(client, z.object({ name: z.string() }), otherSchemas, [known])).map(({ name }) => name),
    extensions: await rowsOf(client, extensionRow, extensions),
    partitions: await rowsOf(client, partitionRow, partitions, [domains]),
    materializedViews: await rowsOf(client, viewRow, materializedViews, [domains]),
  };
}

/** Where each stands now, which is never before what rows of the snapshot have. */
export async function readSequences(
  client: pg.ClientBase,
  domains: readonly string[],
): Promise<BackupManifest['sequences']> {
  const found = await rowsOf(client, viewRow, sequences, [domains]);
  if (found.length === 0) return [];
  const selects = found.map(({ schema, name }) => {
    const [inSchema, sequence] = [pg.escapeLiteral(schema), pg.escapeLiteral(name)];
    const from = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
    return `SELECT ${inSchema} AS schema, ${sequence} AS name, last_value::text AS value, is_called AS called FROM ${from}`;
  });
  return rowsOf(
    client,
    viewRow.extend({ value: z.string(), called: z.boolean() }),
    `${selects.join(' UNION ALL ')} ORDER BY schema, name`,
  );
}

/** Of every domain that was ever migrated here; those of the build first and in its order. */
async function readLedger(client: pg.ClientBase, order: readonly string[]): Promise<Ledger> {
  const present = (await rowsOf(client, z.object({ domain: z.string() }), ledgers)).map(({ domain }) => domain);
  const domains = [
    ...order.filter((domain) => present.includes(domain)),
    ...present.filter((one) => !order.includes(one)),
  ];
  const lines: Ledger = [];
  for (const domain of domains) {
    lines.push(
      ...(await rowsOf(
        client,
        ledgerRow,
        `SELECT $1::text AS domain, name, checksum, state, to_jsonb(at) #>> '{}' AS at
         FROM public.${pg.escapeIdentifier(`${domain}_migrations`)} ORDER BY name COLLATE "C"`,
        [domain],
      )),
    );
  }
  return lines;
}

async function rowsOf<Row>(
  client: pg.ClientBase,
  row: z.ZodType<Row>,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  return z.array(row).parse((await client.query<pg.QueryResultRow>(sql, values)).rows);
}

const viewRow = z.object({ schema: z.string(), name: z.string() });
const ledgerRow = z.object({
  domain: z.string(),
  name: z.string(),
  checksum: z.string(),
  state: z.enum(['applied', 'parked']),
  at: z.string(),
});
const tableRow = z.object({
  domain: z.string(),
  schema: z.string(),
  table: z.string(),
  columns: z.array(z.string()),
  bytes: z.coerce.number(),
});
const partitionRow = z.object({
  schema: z.string(),
  partition: z.string(),
  parent: z.string(),
  bound: z.string(),
  by: z.string().nullable(),
});
const extensionRow = z.object({ name: z.string(), version: z.string(), schema: z.string() });
const headRow = z.object({
  server: z.object({ version: z.string(), number: z.number() }),
  database: z.object({
    name: z.string(),
    encoding: z.string(),
    collate: z.string(),
    ctype: z.string(),
    provider: z.string(),
    locale: z.string().nullable(),
    settings: z.array(z.string()),
  }),
  snapshot: z.string(),
  snapshotAt: z.string(),
  wal: z.string().nullable(),
});

// The column of the locale has had three names since version 15.
const headOf = `
  SELECT jsonb_build_object('version', current_setting('server_version'),
                            'number', current_setting('server_version_num')::int) AS server,
         jsonb_build_object(
           'name', d.datname, 'encoding', pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype,
           'provider', d.datlocprovider,
           'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'),
           'settings', coalesce((SELECT to_jsonb(s.setconfig) FROM pg_db_role_setting s
                                 WHERE s.setdatabase = d.oid AND s.setrole = 0), '[]')) AS database,
         pg_current_snapshot()::text AS snapshot, to_jsonb(now()) #>> '{}' AS "snapshotAt",
         CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS wal
  FROM pg_database d WHERE d.datname = current_database()`;

const ledgers = `
  SELECT left(c.relname, -length('_migrations')) AS domain
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'checksum'
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname LIKE '%\\_migrations'
  ORDER BY c.relname`;

const ofDomains = `
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN unnest($1::text[]) AS domain ON n.nspname IN (domain, domain || '__parked')`;

const tables = `
  SELECT domain, n.nspname AS schema, c.relname AS table,
         ARRAY(SELECT a.attname::text FROM pg_attribute a
               WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
               ORDER BY a.attname::text COLLATE "C") AS columns,
         CASE c.relkind WHEN 'r' THEN pg_table_size(c.oid)
           ELSE (SELECT coalesce(sum(pg_table_size(relid)), 0) FROM pg_partition_tree(c.oid) WHERE isleaf) END::text AS bytes
  FROM pg_class c ${ofDomains}
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname || '.' || c.relname <> ALL ($2::text[])
  ORDER BY schema, "table"`;

const sequences = `
  SELECT n.nspname AS schema, c.relname AS name FROM pg_class c ${ofDomains} WHERE c.relkind = 'S' ORDER BY 1, 2`;

// One that stands on another was made after it.
const materializedViews = `
  SELECT n.nspname AS schema, c.relname AS name
  FROM pg_class c ${ofDomains} WHERE c.relkind = 'm' AND c.relispopulated ORDER BY c.oid`;

// A partition of a partition is made after that, too.
const partitions = `
  SELECT n.nspname AS schema, c.relname AS partition,
         format('%I.%I', pn.nspname, p.relname) AS parent, pg_get_expr(c.relpartbound, c.oid) AS bound,
         CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS by
  FROM pg_class c ${ofDomains}
  JOIN pg_inherits i ON i.inhrelid = c.oid
  JOIN pg_class p ON p.oid = i.inhparent
  JOIN pg_namespace pn ON pn.oid = p.relnamespace
  WHERE c.relispartition AND c.relkind IN ('r', 'p') ORDER BY c.oid`;

const extensions = `
  SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql' ORDER BY e.oid`;

const otherSchemas = `
  SELECT nspname AS name FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')
    AND NOT EXISTS (SELECT FROM unnest($1::text[]) AS domain WHERE nspname IN (domain, domain || '__parked'))
  ORDER BY nspname`;
