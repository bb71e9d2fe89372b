/** SQL that shows an instant as contracts have it, in UTC with milliseconds: `2026-11-21T09:30:00.000Z`. */
export function isoInstant(sql: string): string {
  return `to_char(${sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
