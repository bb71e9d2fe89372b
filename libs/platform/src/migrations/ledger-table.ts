import { z } from 'zod';
import type { MigrationSession } from './session.js';

const ledgerRow = z.object({
  name: z.string(),
  checksum: z.string(),
  state: z.enum(['applied', 'parked']),
  at: z.date(),
});
export type LedgerRow = z.infer<typeof ledgerRow>;

/** For `public.<domain>_migrations`, also in a database that is made from a backup. */
export function createLedgerTable(table: string): string {
  return `
    CREATE TABLE ${table} (
      name      text PRIMARY KEY,
      checksum  text NOT NULL,
      state     text NOT NULL CHECK (state IN ('applied', 'parked')),
      at        timestamptz NOT NULL DEFAULT clock_timestamp()
    )`;
}

/** `public.<domain>_migrations`: which migrations of a domain were applied, and whether they are parked now. */
export class LedgerTable {
  private readonly table: string;

  constructor(
    private readonly session: MigrationSession,
    domain: string,
  ) {
    if (!/^[a-z][a-z_]{0,40}$/.test(domain)) throw new Error(`${domain} cannot be the name of a domain`);
    this.table = `public.${domain}_migrations`;
  }

  exists(): Promise<boolean> {
    return this.session.has(this.table);
  }

  async create(): Promise<void> {
    if (await this.exists()) return;
    await this.session.runner.query(createLedgerTable(this.table));
  }

  /** Oldest migration first. */
  async rows(): Promise<readonly LedgerRow[]> {
    if (!(await this.exists())) return [];
    return this.session.rows(
      ledgerRow,
      `SELECT name, checksum, state, at FROM ${this.table} ORDER BY name COLLATE "C"`,
    );
  }

  async applied(name: string, checksum: string): Promise<void> {
    await this.session.runner.query(
      `INSERT INTO ${this.table} AS present (name, checksum, state) VALUES ($1, $2, 'applied')
       ON CONFLICT (name) DO UPDATE SET state = 'applied', at = clock_timestamp()`,
      [name, checksum],
    );
  }

  async parked(name: string): Promise<void> {
    await this.session.runner.query(
      `UPDATE ${this.table} SET state = 'parked', at = clock_timestamp() WHERE name = $1`,
      [name],
    );
  }
}
