import pg from 'pg';
import { z } from 'zod';
import { builtMigrations, type Ledger } from '../migrations/ledger.js';

const ledgerRow = z.object({ domain: z.string(), name: z.string(), checksum: z.string(), state: z.string() });

/** What a build expects of one migration. */
interface Expected {
  readonly domain: string;
  readonly name: string;
  readonly checksum: string;
}

/** The migrations that a build has, and whether a database has them. */
export class ExpectedMigrations {
  readonly #expected: readonly Expected[];
  readonly #tables: readonly string[];

  constructor(ledgers: readonly Ledger[], database: Ledger['database']) {
    const own = ledgers.filter((ledger) => ledger.database === database);
    this.#tables = own.map(({ domain }) => tableOf(domain));
    this.#expected = own.flatMap((ledger) => builtMigrations(ledger).map((one) => ({ ...one, domain: ledger.domain })));
  }

  /**
   * As `domain/name`: those that never ran, ran from another file, or are parked although their domain is on. What only
   * the database knows is of a newer release and no reason to refuse.
   */
  async unapplied(pool: pg.Pool, isOff: (domain: string) => boolean): Promise<string[]> {
    const rows = await this.rows(pool);
    const applied = new Map(rows.map((row) => [`${row.domain}/${row.name}`, row]));
    return this.#expected
      .filter(({ domain, name, checksum }) => {
        const row = applied.get(`${domain}/${name}`);
        return row?.checksum !== checksum || (row.state !== 'applied' && !isOff(domain));
      })
      .map(({ domain, name }) => `${domain}/${name}`);
  }

  private async rows(pool: pg.Pool): Promise<z.infer<typeof ledgerRow>[]> {
    const present = await pool.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY($1)`,
      [this.#tables],
    );
    if (present.rows.length === 0) return [];
    const selects = present.rows.map(({ name }) => {
      const domain = pg.escapeLiteral(name.slice(0, -tableOf('').length));
      return `SELECT ${domain} AS domain, name, checksum, state FROM public.${pg.escapeIdentifier(name)}`;
    });
    return z.array(ledgerRow).parse((await pool.query(selects.join(' UNION ALL '))).rows);
  }
}

function tableOf(domain: string): string {
  return `${domain}_migrations`;
}
