export const liveStatuses = ['ready', 'waiting', 'active', 'paused'] as const;
export const tokenStatuses = [...liveStatuses, 'completed', 'scrapped', 'merged', 'consumed'] as const;
export type TokenStatus = (typeof tokenStatuses)[number];

/** Tokens that a node has let in: what its work-in-progress limit counts. */
export const admittedStatuses = ['ready', 'active', 'paused'] as const satisfies readonly TokenStatus[];

export const holdCodes = ['NO_ROUTE', 'AMBIGUOUS_ROUTE', 'DEADLOCK', 'QUEUE_LIMIT', 'REDESIGN', 'SUPERVISOR'] as const;
export type HoldCode = (typeof holdCodes)[number];

export const queueReasons = [
  'WIP_LIMIT',
  'CONCURRENCY_LIMIT',
  'TEAM_UNAVAILABLE',
  'OPERATOR_UNAVAILABLE',
  'NO_MATCH',
  'JOIN_WAIT',
  'WAIT_CONDITION',
  'MACHINE_BUSY',
  'QUEUE_LIMIT',
  'JOB_PAUSED',
] as const;
export type QueueReason = (typeof queueReasons)[number];

export const eventTypes = [
  'TOKEN_CREATE',
  'TOKEN_SPLIT',
  'TOKEN_MERGE',
  'NODE_ENTER',
  'NODE_LEAVE',
  'NODE_START',
  'NODE_PAUSE',
  'NODE_RESUME',
  'NODE_COMPLETE',
  'QC_PASS',
  'QC_FAIL',
  'REWORK',
  'SCRAP',
  'REPLACEMENT',
  'OVERRIDE_ROUTE',
  'TOKEN_ADJUST',
  'QUEUED',
  'WOKEN',
  'HELD',
  'RELEASED',
  'RESOLVER_ERROR',
] as const;
export type EventType = (typeof eventTypes)[number];

export type VisitOutcome = 'moved' | 'reworked' | 'scrapped' | 'merged' | 'skipped';

/** What each status may become; a terminal one becomes nothing, "reopen" means a new token. */
const next: Readonly<Record<TokenStatus, readonly TokenStatus[]>> = {
  ready: ['active', 'waiting', 'consumed', 'merged', 'scrapped', 'completed'],
  waiting: ['ready', 'merged', 'consumed', 'scrapped'],
  active: ['paused', 'ready', 'waiting', 'scrapped', 'completed'],
  paused: ['active', 'ready', 'scrapped'],
  completed: [],
  scrapped: [],
  merged: [],
  consumed: [],
};

/**
 * Whether one command may bring a token from one status to the other: what is routed on is ready in between, and the
 * database sees only where it ends. To `active` there is no such way: a person starts the work.
 */
export function mayEndAs(from: TokenStatus, to: TokenStatus): boolean {
  if (from === to) return isLive(from);
  return next[from].includes(to) || (to !== 'active' && next[from].includes('ready') && next.ready.includes(to));
}

export function isLive(status: TokenStatus): boolean {
  return next[status].length > 0;
}
