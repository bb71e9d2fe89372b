/** What the exit code of a command says, so that a script need not read. */
export const exitCodes = {
  ok: 0,
  error: 1,
  blocked: 2,
  approvalNeeded: 3,
  compensated: 4,
  manual: 5,
  leaseHeld: 6,
  inconclusive: 7,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Refusals of a check, or of a rule that stands like one. */
const blocking = new Set([
  'backup-broken',
  'backup-ledger-unknown',
  'backup-not-usable',
  'backup-too-weak',
  'checks-failed',
  'confirm-mismatch',
  'control-database',
  'document-too-new',
  'no-room-for-backup',
  'parked-and-live',
  'parked-too-short',
  'plan-expired',
  'plan-refused',
  'plan-stale',
  'restore-refused',
  'rows-in-the-way',
  'schema-drift',
]);

export function codeOfProblem(slug: string, members: Readonly<Record<string, unknown>> = {}): ExitCode {
  if (slug === 'plan-not-open' && members['state'] === 'blocked') return exitCodes.blocked;
  if (blocking.has(slug)) return exitCodes.blocked;
  if (slug === 'approval-missing') return exitCodes.approvalNeeded;
  if (slug === 'run-in-progress') return exitCodes.leaseHeld;
  return exitCodes.error;
}

/** Of a plan that somebody looked at or made. */
export function codeOfPlan(state: string): ExitCode {
  if (state === 'blocked') return exitCodes.blocked;
  if (state === 'expired' || state === 'cancelled') return exitCodes.error;
  return exitCodes.ok;
}

/** Of a run that was followed until it rests. */
export function codeOfRun({
  state,
  pausedFor,
}: {
  readonly state: string;
  readonly pausedFor: string | null;
}): ExitCode {
  switch (state) {
    case 'compensated':
      return exitCodes.compensated;
    case 'manual':
      return exitCodes.manual;
    case 'cancelled':
      return exitCodes.error;
    case 'paused':
      return pausedFor === 'inconclusive'
        ? exitCodes.inconclusive
        : pausedFor === 'preempted'
          ? exitCodes.leaseHeld
          : exitCodes.manual;
    default:
      return exitCodes.ok;
  }
}
