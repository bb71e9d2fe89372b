import {
  databaseError,
  RecoveryRefused,
  type RecoveryContext,
  type RecoveryInput,
  type RecoveryMarker,
  type RecoveryOutcome,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { putBackSql, recoveredTables, takeAwaySql, type RecoveredTable } from './recovered-table.rules.js';
import {
  actAs,
  beginPart,
  endPart,
  forgetKeysSince,
  undoPart,
  writableColumns,
  type ChangedRecord,
} from './recovered-rows.queries.js';
import { changesSince, planRecovery } from './recovery-plan.service.js';

type Kept = RecoveryOutcome['kept'][number];

/** Another row says the same by now, or a rule of the table forbids it: then the row stays as it is, and is listed. */
const forbidden = new Set(['23505', '23514', '23P01']);

/** Takes back plans, pins, leave and rosters that were changed since the marker. What was logged stays: it happened. */
export async function compensate(
  context: RecoveryContext,
  input: RecoveryInput,
  planHash: string,
): Promise<RecoveryOutcome> {
  const { tx, actor, runId, signal } = context;
  const plan = await planRecovery(context, input);
  if (plan.hash !== planHash) throw new RecoveryRefused('Something was changed since the plan was made');
  if (plan.refusals.length > 0) throw new RecoveryRefused('It cannot be narrowed down like that', plan.refusals);
  const records = await changesSince(context, input);
  await actAs(tx, [actor, runId, 'recovery']);

  const kept: Kept[] = [];
  const columns = new Map(
    (await writableColumns(tx, [recoveredTables.map(({ name }) => name)])).map((one) => [one.table, one.columns]),
  );
  let upserts = 0;
  let deletes = 0;
  // What came since goes first, so that it is not in the way of what it took the place of.
  for (const change of records.toSorted(byInsertion)) {
    signal.throwIfAborted();
    const table = recoveredTables.find(({ name }) => name === change.table);
    if (!table) continue;
    if (change.shared) {
      kept.push(left(change, 'somebody else has changed it since'));
      continue;
    }
    const because = await refusalOf(tx, table, columns.get(table.name) ?? [], change);
    if (because !== null) kept.push(left(change, because));
    else if (change.operation === 'INSERT') deletes += 1;
    else upserts += 1;
  }
  return { upserts, deletes, counterposted: {}, kept };
}

/** Requests since then are asked anew. Who is there is looked at every minute, and rounds go on where they are. */
export async function afterRestore(
  { tx, actor, runId }: RecoveryContext,
  { at }: Pick<RecoveryMarker, 'at'>,
): Promise<Readonly<Record<string, number>>> {
  await actAs(tx, [actor, runId, 'recovery']);
  const keys = await forgetKeysSince(tx, [at]);
  return { answersForgotten: keys.length };
}

/** Puts one row right, in a part of its own; answers why not. */
async function refusalOf(
  tx: EntityManager,
  table: RecoveredTable,
  columns: readonly string[],
  { operation, record, old }: ChangedRecord,
): Promise<string | null> {
  await beginPart(tx, []);
  try {
    if (operation === 'INSERT') await tx.query(takeAwaySql(table), [JSON.stringify(record)]);
    else await tx.query(putBackSql(table, columns), [JSON.stringify(old)]);
    await endPart(tx, []);
    return null;
  } catch (error) {
    const reason = databaseError(error);
    if (!forbidden.has(reason?.code ?? '')) throw error;
    await undoPart(tx, []);
    return reason?.constraint ?? 'a rule forbids it';
  }
}

function byInsertion(one: ChangedRecord, other: ChangedRecord): number {
  return Number(one.operation !== 'INSERT') - Number(other.operation !== 'INSERT');
}

function left({ table, record }: ChangedRecord, because: string): Kept {
  return { table: `assignment.${table}`, record, how: 'left', because };
}
