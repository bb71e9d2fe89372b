import { type ObjectLiteral, QueryResult } from 'typeorm';
import { PostgresQueryRunner } from 'typeorm/driver/postgres/PostgresQueryRunner.js';
import { z } from 'zod';
import { NotRepeatable } from './migrations.problems.js';

export interface RecordedStatement {
  readonly sql: string;
  /** Rows that an UPDATE wrote. */
  readonly updated: number;
}

/**
 * - `transactional`: inside the transaction that the runner opened
 * - `repeatable`: without a transaction, index statements only
 * - `unexecuted`: as `repeatable`, but written down only
 */
export type RecordingMode = 'transactional' | 'repeatable' | 'unexecuted';

const queryResult = z.instanceof(QueryResult);

const repeatable =
  /^\s*(CREATE\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS|DROP\s+INDEX\s+CONCURRENTLY\s+IF\s+EXISTS)\s[^;]*;?\s*$/i;

/** Whether the statement can be run outside a transaction as often as one likes, and has to. */
export function isRepeatable(sql: string): boolean {
  return repeatable.test(sql);
}

/** A query runner that can write down what is done through it. */
export class RecordingRunner extends PostgresQueryRunner {
  private recording: { mode: RecordingMode; statements: RecordedStatement[] } | undefined;

  /** What `work` changes through this runner, statement by statement. */
  async record(mode: RecordingMode, work: () => Promise<unknown>): Promise<readonly RecordedStatement[]> {
    const recording: { mode: RecordingMode; statements: RecordedStatement[] } = { mode, statements: [] };
    this.recording = recording;
    try {
      await work();
    } finally {
      this.recording = undefined;
    }
    return recording.statements;
  }

  // What raw SQL returns is `any` in TypeORM, and its interface asks for exactly that.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  override async query(sql: string, parameters?: unknown[] | ObjectLiteral, structured = false): Promise<any> {
    const recording = this.recording;
    if (!recording) return super.query(sql, parameters, structured);
    if (Array.isArray(parameters) && parameters.length > 0)
      return this.look(recording.mode, sql, parameters, structured);

    if (recording.mode !== 'transactional' && !isRepeatable(sql)) throw new NotRepeatable(sql.trim());
    if (recording.mode === 'unexecuted') {
      recording.statements.push({ sql: sql.trim(), updated: 0 });
      return structured ? new QueryResult() : [];
    }
    const result = queryResult.parse(await super.query(sql, undefined, true));
    recording.statements.push({ sql: sql.trim(), updated: /^\s*UPDATE\s/i.test(sql) ? (result.affected ?? 0) : 0 });
    return structured ? result : result.raw;
  }

  /** Runs a statement in such a way that leaving it out of the record is right: it cannot change anything. */
  private async look(mode: RecordingMode, sql: string, parameters: unknown[], structured: boolean): Promise<unknown> {
    const [begin, end] =
      mode === 'transactional' ? ['SAVEPOINT look', 'ROLLBACK TO SAVEPOINT look'] : ['START TRANSACTION', 'ROLLBACK'];
    await super.query(begin);
    try {
      await super.query('SET LOCAL transaction_read_only = on');
      return await super.query(sql, parameters, structured);
    } finally {
      await super.query(end);
    }
  }
}
