import { createHash } from 'node:crypto';
import type { RecoveryContext, RecoveryInput, RecoveryPlan } from '@belay/platform';
import { recoveredTables } from './recovered-table.rules.js';
import { auditHead, changedRecords, type ChangedRecord } from './recovered-rows.queries.js';

const SAMPLE = 5;
const ROWS_PER_SECOND = 1_000;

/** Records that were changed since the marker, of the tables that are asked for. Narrower keys are not known here. */
export function changesSince({ tx }: RecoveryContext, input: RecoveryInput): Promise<ChangedRecord[]> {
  const { marker, tables, excludeActors = null, only } = input;
  const asked = tables === undefined ? null : new Set(tables);
  const named = recoveredTables.map(({ name }) => name).filter((name) => asked?.has(`assignment.${name}`) ?? true);
  return changedRecords(tx, [marker.snapshot, marker.at, only?.actors ?? null, excludeActors, named]);
}

/** Read-only: says what would be done, and under which hash. */
export async function planRecovery(context: RecoveryContext, input: RecoveryInput): Promise<RecoveryPlan> {
  const records = await changesSince(context, input);
  const [audit = { head: '0' }] = await auditHead(context.tx, []);
  const unknown = Object.keys(input.only?.keys ?? {});
  const plan = {
    tables: recoveredTables.flatMap(({ name }) => tablePlan(name, records)),
    counterposted: {},
    refusals: unknown.map((key) => ({ why: 'rows are not told apart by this key', key })),
    estimatedSeconds: Math.ceil(1 + records.length / ROWS_PER_SECOND),
  };
  const text = JSON.stringify([
    audit.head,
    input,
    plan,
    records.map(({ table, record, operation }) => [table, record, operation]),
  ]);
  return { hash: createHash('sha256').update(text).digest('hex'), ...plan };
}

function tablePlan(name: string, all: readonly ChangedRecord[]): RecoveryPlan['tables'] {
  const records = all.filter(({ table }) => table === name);
  if (records.length === 0) return [];
  const count = (operation: ChangedRecord['operation']) => records.filter((one) => one.operation === operation).length;
  const free = records.filter(({ shared }) => !shared);
  return [
    {
      table: `assignment.${name}`,
      inserted: count('INSERT'),
      updated: count('UPDATE'),
      deleted: count('DELETE'),
      upserts: free.filter(({ operation }) => operation !== 'INSERT').length,
      deletes: free.filter(({ operation }) => operation === 'INSERT').length,
      actors: [...new Set(records.flatMap(({ actors }) => actors))].sort(),
      sample: records.slice(0, SAMPLE).map(({ record, operation, old }) => ({ record, operation, old })),
      conflicts: records.filter(({ shared }) => shared).map(({ record }) => record),
    },
  ];
}
