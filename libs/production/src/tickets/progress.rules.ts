import type { NodeState } from './ticket.contract.js';

/** What stands at a node, and whether anything has been there or may still come. */
export interface NodeTraffic {
  readonly live: number;
  readonly held: number;
  /** Worked on, or ready to be. */
  readonly active: number;
  readonly paused: number;
  readonly passed: boolean;
  readonly expected: boolean;
}

export function stateOfNode({ live, held, active, paused, passed, expected }: NodeTraffic): NodeState {
  if (live === 0) return passed && !expected ? 'completed' : 'pending';
  if (held === live) return 'blocked';
  if (active > 0) return 'active';
  return paused > 0 ? 'paused' : 'waiting';
}

const states = {
  pending: 'pending',
  in_progress: 'active',
  completed: 'completed',
  skipped: 'completed',
} as const satisfies Readonly<Record<string, NodeState>>;

/** Of a job that is run at stations. */
export function stateOfStation(status: keyof typeof states): NodeState {
  return states[status];
}
