import {
  actAsRun,
  RecoveryRefused,
  refusalOf,
  takeAwaySql,
  type ChangedRecord,
  type RecoveryContext,
  type RecoveryInput,
  type RecoveryMarker,
  type RecoveryOutcome,
} from '@belay/platform';
import { putBackSql, recoveredTables } from './recovered-table.rules.js';
import { schema } from './recovered-rows.queries.js';
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
  const { tx, signal } = context;
  const plan = await planRecovery(context, input);
  if (plan.hash !== planHash) throw new RecoveryRefused('Something was changed since the plan was made');
  if (plan.refusals.length > 0) throw new RecoveryRefused('It cannot be narrowed down like that', plan.refusals);
  const records = await changesSince(context, input);
  await actAsRun(context);

  const kept: Kept[] = [];
  const columns = await schema.writableColumns(tx, recoveredTables);
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
    const refusal = await refusalOf(tx, forbidden, () =>
      change.operation === 'INSERT'
        ? tx.query(takeAwaySql('assignment', table), [JSON.stringify(change.record)])
        : tx.query(putBackSql(table, columns.get(table.name) ?? []), [JSON.stringify(change.old)]),
    );
    if (refusal) kept.push(left(change, refusal.constraint ?? 'a rule forbids it'));
    else if (change.operation === 'INSERT') deletes += 1;
    else upserts += 1;
  }
  return { upserts, deletes, counterposted: {}, kept };
}

/** Requests since then are asked anew. Who is there is looked at every minute, and rounds go on where they are. */
export async function afterRestore(
  context: RecoveryContext,
  { at }: Pick<RecoveryMarker, 'at'>,
): Promise<Readonly<Record<string, number>>> {
  await actAsRun(context);
  return { answersForgotten: await schema.forgetKeysSince(context.tx, at) };
}

function byInsertion(one: ChangedRecord, other: ChangedRecord): number {
  return Number(one.operation !== 'INSERT') - Number(other.operation !== 'INSERT');
}

function left({ table, record }: ChangedRecord, because: string): Kept {
  return { table: `assignment.${table}`, record, how: 'left', because };
}
