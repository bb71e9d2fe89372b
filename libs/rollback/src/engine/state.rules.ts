import { IllegalTransition } from '../rollback.problems.js';

/** Every move there is; what is not here throws `illegal-transition`. */
export const transitions = {
  plan: {
    validating: ['blocked', 'awaiting-approval', 'approved'],
    blocked: ['validating', 'expired', 'cancelled'],
    'awaiting-approval': ['approved', 'expired', 'cancelled'],
    approved: ['used', 'expired', 'cancelled'],
    used: [],
    expired: [],
    cancelled: [],
  },
  run: {
    queued: ['running', 'cancelled'],
    running: ['paused', 'verifying', 'failed'],
    // Back to where it was, or to an end.
    paused: ['running', 'verifying', 'failed', 'compensating', 'manual', 'cancelled'],
    verifying: ['paused', 'monitoring', 'failed'],
    monitoring: ['closed'],
    failed: ['paused', 'compensating'],
    compensating: ['paused', 'compensated', 'manual'],
    closed: [],
    compensated: [],
    // Closed by the person who confirms that the rest is done by hand.
    manual: ['paused', 'closed'],
    cancelled: [],
  },
  step: {
    pending: ['previewed', 'skipped'],
    previewed: ['running', 'skipped'],
    running: ['effect-done', 'effect-unknown', 'failed', 'waiting'],
    waiting: ['running', 'skipped'],
    'effect-unknown': ['effect-done', 'previewed', 'failed'],
    'effect-done': ['verified', 'failed', 'compensating'],
    verified: ['compensating'],
    // Tried again or left out by a person, else taken back.
    failed: ['previewed', 'skipped', 'compensating'],
    compensating: ['compensated', 'compensation-failed'],
    compensated: [],
    'compensation-failed': [],
    skipped: [],
  },
  backup: {
    creating: ['created', 'broken'],
    created: ['checksummed', 'broken', 'expired'],
    checksummed: ['complete', 'broken', 'expired'],
    complete: ['restored', 'broken', 'expired'],
    restored: ['proven', 'broken', 'expired'],
    proven: ['expired', 'broken'],
    expired: [],
    broken: [],
  },
} as const;

export type Machine = keyof typeof transitions;
export type State<M extends Machine> = Extract<keyof (typeof transitions)[M], string>;

export type PlanState = State<'plan'>;
export type RunState = State<'run'>;
export type StepState = State<'step'>;
export type BackupState = State<'backup'>;

const moves: Readonly<Record<Machine, Readonly<Record<string, readonly string[]>>>> = transitions;

export function isAllowed<M extends Machine>(machine: M, from: State<M>, to: State<M>): boolean {
  return moves[machine][from]?.includes(to) ?? false;
}

/** Throws `IllegalTransition` for a move that the table does not have. */
export function checkTransition<M extends Machine>(machine: M, from: State<M>, to: State<M>): void {
  if (!isAllowed(machine, from, to)) throw new IllegalTransition(machine, from, to);
}
