import type { LogEntry } from './log.contract.js';

const columns: readonly { readonly name: string; readonly of: (entry: LogEntry) => string | number | null }[] = [
  { name: 'id', of: ({ id }) => id },
  { name: 'at', of: ({ at }) => at },
  { name: 'event', of: ({ event }) => event },
  { name: 'method', of: ({ method }) => method },
  { name: 'tier', of: ({ tier }) => tier },
  { name: 'token_id', of: ({ tokenId }) => tokenId },
  { name: 'node_id', of: ({ nodeId }) => nodeId },
  { name: 'job_ticket_id', of: ({ jobTicketId }) => jobTicketId },
  { name: 'assigned_to_type', of: ({ assignedTo }) => assignedTo?.type ?? null },
  { name: 'assigned_to_id', of: ({ assignedTo }) => assignedTo?.id ?? null },
  { name: 'operator_id', of: ({ operatorId }) => operatorId },
  { name: 'reason_code', of: ({ reasonCode }) => reasonCode },
  { name: 'queue_reason', of: ({ queueReason }) => queueReason },
  { name: 'queue_position', of: ({ queuePosition }) => queuePosition },
  { name: 'estimated_wait_minutes', of: ({ estimatedWaitMinutes }) => estimatedWaitMinutes },
  { name: 'latency_ms', of: ({ latencyMs }) => latencyMs },
  { name: 'actor_id', of: ({ actorId }) => actorId },
  { name: 'reason', of: ({ reason }) => JSON.stringify(reason) },
];

/** RFC 4180. No cell is text that people typed but the reason, which begins with a brace: no spreadsheet runs it. */
export const csvHead = lineOf(columns.map(({ name }) => name));

export function csvLine(entry: LogEntry): string {
  return lineOf(columns.map(({ of }) => of(entry)));
}

function lineOf(cells: readonly (string | number | null)[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

function cellOf(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
