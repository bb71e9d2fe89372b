import type pg from 'pg';
import type { EntityManager } from 'typeorm';
import { begin } from '../database/database.js';
import { statement } from '../database/statement.js';
import { databaseError } from '../database/violation.js';
import type { RecoveredTable } from './recovered-schema.js';
import type { RecoveryContext } from './recovery.js';

/** From here on the audit log names the run, and the account in whose name it is done. */
export async function actAsRun({ tx, actor, runId }: Pick<RecoveryContext, 'tx' | 'actor' | 'runId'>): Promise<void> {
  await begin(tx, [actor, runId, 'recovery']);
}

/** A part of the transaction that can be undone alone; there is one at a time. */
export const setSavepoint = statement('platform.recovery_set_savepoint', `SAVEPOINT recovery`);
export const releaseSavepoint = statement('platform.recovery_release_savepoint', `RELEASE SAVEPOINT recovery`);
export const rollBackToSavepoint = statement(
  'platform.recovery_roll_back_to_savepoint',
  `ROLLBACK TO SAVEPOINT recovery`,
);

/**
 * Does the work as a part of the transaction. If the database refuses it with one of these SQLSTATEs, nothing of it stays
 * and the refusal is answered; any other failure is thrown.
 */
export async function refusalOf(
  tx: EntityManager,
  sqlStates: ReadonlySet<string>,
  work: () => Promise<unknown>,
): Promise<pg.DatabaseError | undefined> {
  await setSavepoint(tx, []);
  try {
    await work();
    await releaseSavepoint(tx, []);
    return undefined;
  } catch (error) {
    const refusal = databaseError(error);
    if (!sqlStates.has(refusal?.code ?? '')) throw error;
    await rollBackToSavepoint(tx, []);
    return refusal;
  }
}

/** SQL that takes a row away that came since; `$1` is its key as JSON. */
export function takeAwaySql(schema: string, { name, key }: RecoveredTable): string {
  const matches = key.map((column) => `t."${column}" = r."${column}"`).join(' AND ');
  const table = `${schema}."${name}"`;
  return `DELETE FROM ${table} t USING jsonb_populate_record(NULL::${table}, $1::jsonb) r WHERE ${matches}`;
}
