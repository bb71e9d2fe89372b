import { createHash } from 'node:crypto';
import type { ChangedRecord } from './recovered-schema.js';
import type { RecoveryInput, RecoveryPlan } from './recovery.js';

const SAMPLE = 5;

/** What a plan says of each of the schema's tables that has changed records, in the order of `tables`. */
export function plannedTables(
  schema: string,
  tables: readonly { readonly name: string }[],
  all: readonly ChangedRecord[],
): RecoveryPlan['tables'] {
  return tables.flatMap(({ name }) => {
    const records = all.filter(({ table }) => table === name);
    return records.length === 0 ? [] : [{ table: `${schema}.${name}`, ...summaryOf(records) }];
  });
}

/**
 * The plan under a hash that is another one as soon as `head` of the audit log, what is asked for, or anything that the
 * plan would touch is; `others` are what it takes back besides records.
 */
export function hashedPlan(
  plan: Omit<RecoveryPlan, 'hash'>,
  head: string,
  input: RecoveryInput,
  records: readonly ChangedRecord[],
  ...others: readonly unknown[]
): RecoveryPlan {
  const touched = records.map(({ table, record, operation }) => [table, record, operation]);
  const text = JSON.stringify([head, input, plan, ...others, touched]);
  return { hash: createHash('sha256').update(text).digest('hex'), ...plan };
}

function summaryOf(records: readonly ChangedRecord[]): Omit<RecoveryPlan['tables'][number], 'table'> {
  const count = (operation: ChangedRecord['operation']) => records.filter((one) => one.operation === operation).length;
  const free = records.filter(({ shared }) => !shared);
  return {
    inserted: count('INSERT'),
    updated: count('UPDATE'),
    deleted: count('DELETE'),
    upserts: free.filter(({ operation }) => operation !== 'INSERT').length,
    deletes: free.filter(({ operation }) => operation === 'INSERT').length,
    actors: [...new Set(records.flatMap(({ actors }) => actors))].sort(),
    sample: records.slice(0, SAMPLE).map(({ record, operation, old }) => ({ record, operation, old })),
    conflicts: records.filter(({ shared }) => shared).map(({ record }) => record),
  };
}
