/** A table whose changes are in the audit log. None of them refers to another. */
export interface RecoveredTable {
  readonly name: string;
  /** Its primary key. */
  readonly key: readonly string[];
}

export const recoveredTables: readonly RecoveredTable[] = [
  { name: 'assignment_plan_node', key: ['id'] },
  { name: 'assignment_plan_job', key: ['id'] },
  { name: 'token_pin', key: ['id'] },
  { name: 'leave_request', key: ['id'] },
  { name: 'operator_availability', key: ['operator_id', 'day', 'shift'] },
  { name: 'operator_override', key: ['operator_id'] },
  { name: 'team_availability', key: ['team_id', 'day'] },
];

const given = (name: string) => `jsonb_populate_record(NULL::assignment."${name}", $1::jsonb) r`;

/** SQL that makes the row what it was; `$1` is the row as JSON. A version is never given twice, so it goes on. */
export function putBackSql({ name, key }: RecoveredTable, columns: readonly string[]): string {
  const list = columns.map((column) => `"${column}"`).join(', ');
  const values = columns.map((column) => `r."${column}"`).join(', ');
  const set = columns
    .filter((column) => !key.includes(column))
    .map((column) =>
      column === 'row_version' ? 'row_version = t.row_version + 1' : `"${column}" = excluded."${column}"`,
    );
  return `INSERT INTO assignment."${name}" AS t (${list}) SELECT ${values} FROM ${given(name)}
    ON CONFLICT (${key.map((column) => `"${column}"`).join(', ')}) DO UPDATE SET ${set.join(', ')}`;
}

/** SQL that takes a row away that came since; `$1` is its key as JSON. */
export function takeAwaySql({ name, key }: RecoveredTable): string {
  const matches = key.map((column) => `t."${column}" = r."${column}"`).join(' AND ');
  return `DELETE FROM assignment."${name}" t USING ${given(name)} WHERE ${matches}`;
}

/**
 * Rows and their content as one number, whatever their order; versions count every touch, so they are left out. `$1` has
 * the keys of rows that do not count.
 */
export function fingerprintSql({ name, key }: RecoveredTable): string {
  const record = key.map((column) => `'${column}', t."${column}"`).join(', ');
  return `SELECT count(*)::integer AS rows,
      coalesce(sum(hashtextextended((to_jsonb(t) - 'row_version')::text, 0)), 0)::text AS hash
    FROM assignment."${name}" t WHERE NOT jsonb_build_object(${record}) = ANY ($1::jsonb[])`;
}
