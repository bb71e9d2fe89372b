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
    paused: ['running', 'cancelled', 'failed'],
    verifying: ['monitoring', 'failed'],
    monitoring: ['closed'],
    failed: ['compensating'],
    compensating: ['compensated', 'manual'],
    closed: [],
    compensated: [],
    manual: [],
    cancelled: [],
  },
  step: {
    pending: ['previewed', 'skipped'],
    previewed: ['running', 'skipped'],
    running: ['effect-done', 'effect-unknown', 'failed', 'waiting'],
    waiting: ['running'],
    'effect-unknown': ['effect-done', 'previewed', 'failed'],
    'effect-done': ['verified', 'failed', 'compensating'],
    verified: ['compensating'],
    failed: ['compensating'],
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

export function isAllowed<M extends Machine>(machine: M, from: State<M>, to: State<M>): boolean {
  const next: readonly string[] = Object.entries(transitions[machine]).find(([state]) => state === from)?.[1] ?? [];
  return next.includes(to);
}

/** Throws `IllegalTransition` for a move that the table does not have. */
export function checkTransition<M extends Machine>(machine: M, from: State<M>, to: State<M>): void {
  if (!isAllowed(machine, from, to)) throw new IllegalTransition(machine, from, to);
}
