import { catalogFingerprint } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import type { World } from '../engine/world.js';

type SchemaState = 'live' | 'parked' | 'absent' | 'parked-and-live';

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

interface FlagState {
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
  const client = await application.connect();
  try {
    const { rows } = await client.query<{ domain: string; live: boolean; parked: boolean }>(
      `SELECT domain, to_regnamespace(quote_ident(domain)) IS NOT NULL AS live,
              to_regnamespace(quote_ident(domain || '__parked')) IS NOT NULL AS parked
       FROM unnest($1::text[]) AS domain`,
      [[...domains]],
    );
    const schemas = new Map<string, Schema>();
    for (const { domain, live, parked } of rows) {
      const { sha256 } = await catalogFingerprint(client, domain);
      schemas.set(domain, { schema: stateOf(live, parked), catalog: sha256 });
    }
    return schemas;
  } finally {
    client.release();
  }
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
  const { rows } = await application.query(
    `SELECT * FROM (${selects.join(' UNION ALL ')}) AS ledger ORDER BY domain, name COLLATE "C"`,
  );
  return z.array(ledgerLine).parse(rows);
}
