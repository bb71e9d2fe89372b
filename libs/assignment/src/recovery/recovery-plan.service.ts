import {
  hashedPlan,
  plannedTables,
  type ChangedRecord,
  type RecoveryContext,
  type RecoveryInput,
  type RecoveryPlan,
} from '@belay/platform';
import { recoveredTables } from './recovered-table.rules.js';
import { schema } from './recovered-rows.queries.js';

const ROWS_PER_SECOND = 1_000;

/** Records that were changed since the marker, of the tables that are asked for. Narrower keys are not known here. */
export function changesSince({ tx }: RecoveryContext, input: RecoveryInput): Promise<ChangedRecord[]> {
  const asked = input.tables === undefined ? null : new Set(input.tables);
  const named = recoveredTables.map(({ name }) => name).filter((name) => asked?.has(`assignment.${name}`) ?? true);
  return schema.changedRecords(tx, input, named);
}

/** Read-only: says what would be done, and under which hash. */
export async function planRecovery(context: RecoveryContext, input: RecoveryInput): Promise<RecoveryPlan> {
  const records = await changesSince(context, input);
  const head = await schema.auditHead(context.tx);
  const unknown = Object.keys(input.only?.keys ?? {});
  const plan = {
    tables: plannedTables('assignment', recoveredTables, records),
    counterposted: {},
    refusals: unknown.map((key) => ({ why: 'rows are not told apart by this key', key })),
    estimatedSeconds: Math.ceil(1 + records.length / ROWS_PER_SECOND),
  };
  return hashedPlan(plan, head, input, records);
}
