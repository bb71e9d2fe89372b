import pg from 'pg';
import { z } from 'zod';
import type { World } from '../engine/world.js';

export type SchemaState = 'live' | 'parked' | 'absent' | 'parked-and-live';

export interface LedgerLine {
  readonly name: string;
  readonly checksum: string;
  readonly state: 'applied' | 'parked';
}

export interface DomainState {
  readonly domain: string;
  readonly schema: SchemaState;
  /** Of everything the catalogue says about its schema, parked or live; partitions that jobs make are left out. */
  readonly catalog: string;
  readonly ledger: readonly LedgerLine[];
}

export interface FlagState {
  readonly flag: string;
  /** Switched off by hand. */
  readonly killed: boolean;
  /** What the flag's source says. */
  readonly on: boolean;
  readonly mode: string;
}

/** What is there, as far as a plan rests on it. */
export interface ActualState {
  readonly domains: readonly DomainState[];
  readonly flags: readonly FlagState[];
}

const ledgerLine = z.object({
  domain: z.string(),
  name: z.string(),
  checksum: z.string(),
  state: z.enum(['applied', 'parked']),
});

/** Looks at the databases, not at what this process remembers of them. */
export async function readActualState(
  world: World,
  domains: readonly string[],
  flags: readonly string[],
): Promise<ActualState> {
  const [schemas, ledgers, killed] = await Promise.all([
    readSchemas(world.application, domains),
    readLedgers(world.application, domains),
    readKilled(world.control),
  ]);
  return {
    domains: domains.map((domain) => ({
      domain,
      ...(schemas.get(domain) ?? { schema: 'absent', catalog: '' }),
      ledger: ledgers
        .filter((line) => line.domain === domain)
        .map(({ name, checksum, state }) => ({ name, checksum, state })),
    })),
    flags: flags.map((flag) => {
      const { on, mode } = world.runtime.flags.reading(flag);
      return { flag, killed: killed.has(flag), on, mode };
    }),
  };
}

async function readKilled(control: pg.Pool): Promise<ReadonlySet<string>> {
  const { rows } = await control.query<{ flag: string }>(
    `SELECT flag FROM control.flag_override WHERE scope = 'live' AND off`,
  );
  return new Set(rows.map(({ flag }) => flag));
}

type Schema = Pick<DomainState, 'schema' | 'catalog'>;

async function readSchemas(application: pg.Pool, domains: readonly string[]): Promise<ReadonlyMap<string, Schema>> {
  const { rows } = await application.query<{ domain: string; live: boolean; parked: boolean; catalog: string }>(
    catalogue,
    [[...domains]],
  );
  return new Map(rows.map(({ domain, live, parked, catalog }) => [domain, { schema: stateOf(live, parked), catalog }]));
}

function stateOf(live: boolean, parked: boolean): SchemaState {
  if (live) return parked ? 'parked-and-live' : 'live';
  return parked ? 'parked' : 'absent';
}

async function readLedgers(
  application: pg.Pool,
  domains: readonly string[],
): Promise<readonly z.infer<typeof ledgerLine>[]> {
  const { rows: present } = await application.query<{ domain: string }>(
    `SELECT domain FROM unnest($1::text[]) AS domain WHERE to_regclass('public.' || domain || '_migrations') IS NOT NULL`,
    [[...domains]],
  );
  if (present.length === 0) return [];
  const selects = present.map(
    ({ domain }) =>
      `SELECT ${pg.escapeLiteral(domain)} AS domain, name, checksum, state
       FROM public.${pg.escapeIdentifier(`${domain}_migrations`)}`,
  );
  const { rows } = await application.query(`${selects.join(' UNION ALL ')} ORDER BY domain, name COLLATE "C"`);
  return z.array(ledgerLine).parse(rows);
}

const catalogue = `
  SELECT wanted.domain, live.oid IS NOT NULL AS live, parked.oid IS NOT NULL AS parked, coalesce(parts.hash, '') AS catalog
  FROM unnest($1::text[]) AS wanted(domain)
  LEFT JOIN pg_namespace live ON live.nspname = wanted.domain
  LEFT JOIN pg_namespace parked ON parked.nspname = wanted.domain || '__parked'
  LEFT JOIN LATERAL (
    SELECT encode(sha256(convert_to(string_agg(part, E'\\n' ORDER BY part COLLATE "C"), 'UTF8')), 'hex') AS hash
    FROM (
      SELECT format('%s %s %s', c.relkind, c.relname, CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END) AS part
      FROM pg_class c WHERE c.relnamespace IN (live.oid, parked.oid) AND NOT c.relispartition AND c.relkind <> 'i'
      UNION ALL
      SELECT format('column %s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                    pg_get_expr(d.adbin, d.adrelid))
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
      WHERE c.relnamespace IN (live.oid, parked.oid) AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
      UNION ALL
      SELECT format('index %s', pg_get_indexdef(i.indexrelid))
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
      WHERE c.relnamespace IN (live.oid, parked.oid) AND NOT c.relispartition
      UNION ALL
      SELECT format('constraint %s %s %s %s', c.relname, k.conname, k.convalidated, pg_get_constraintdef(k.oid))
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
      WHERE c.relnamespace IN (live.oid, parked.oid) AND NOT c.relispartition
      UNION ALL
      SELECT format('trigger %s', pg_get_triggerdef(t.oid))
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      WHERE c.relnamespace IN (live.oid, parked.oid) AND NOT c.relispartition AND NOT t.tgisinternal
      UNION ALL
      SELECT format('function %s', pg_get_functiondef(f.oid))
      FROM pg_proc f WHERE f.pronamespace IN (live.oid, parked.oid) AND f.prokind IN ('f', 'p')
    ) AS described
  ) AS parts ON true`;
