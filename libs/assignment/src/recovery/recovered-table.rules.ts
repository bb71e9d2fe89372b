import type { RecoveredTable } from '@belay/platform';

/** None of them refers to another. */
export const recoveredTables: readonly RecoveredTable[] = [
  { name: 'assignment_plan_node', key: ['id'] },
  { name: 'assignment_plan_job', key: ['id'] },
  { name: 'token_pin', key: ['id'] },
  { name: 'leave_request', key: ['id'] },
  { name: 'operator_availability', key: ['operator_id', 'day', 'shift'] },
  { name: 'operator_override', key: ['operator_id'] },
  { name: 'team_availability', key: ['team_id', 'day'] },
];

/** SQL that makes the row what it was; `$1` is the row as JSON. A version is never given twice, so it goes on. */
export function putBackSql({ name, key }: RecoveredTable, columns: readonly string[]): string {
  const list = columns.map((column) => `"${column}"`).join(', ');
  const values = columns.map((column) => `r."${column}"`).join(', ');
  const set = columns
    .filter((column) => !key.includes(column))
    .map((column) =>
      column === 'row_version' ? 'row_version = t.row_version + 1' : `"${column}" = excluded."${column}"`,
    );
  return `INSERT INTO assignment."${name}" AS t (${list})
    SELECT ${values} FROM jsonb_populate_record(NULL::assignment."${name}", $1::jsonb) r
    ON CONFLICT (${key.map((column) => `"${column}"`).join(', ')}) DO UPDATE SET ${set.join(', ')}`;
}
