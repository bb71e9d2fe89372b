import pg from 'pg';

/** The control database, as the rollback system and the CLI write it. */
export class SettableControl {
  readonly #pool: pg.Pool;

  constructor(url: string) {
    this.#pool = new pg.Pool({ connectionString: url, max: 2 });
    this.#pool.on('error', () => undefined);
  }

  /** Answers the number that the override has. */
  kill(flag: string): Promise<bigint> {
    return this.override(flag, true);
  }

  lift(flag: string): Promise<bigint> {
    return this.override(flag, false);
  }

  async liftAll(): Promise<void> {
    const killed = await this.rows<{ flag: string }>(`SELECT flag FROM control.flag_override WHERE off`);
    for (const { flag } of killed) await this.lift(flag);
  }

  async rows<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#pool.query<Row>(sql, values)).rows;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  private async override(flag: string, off: boolean): Promise<bigint> {
    const sql = `SELECT control.override_flag('live', $1, $2, 'test', 'test') AS seq`;
    const [row] = await this.rows<{ seq: string }>(sql, [flag, off]);
    if (!row) throw new Error('No override was written');
    return BigInt(row.seq);
  }
}
