import { spreadOf } from './load.rules.js';
import { ranked, type Candidate } from './ranking.rules.js';

export const strategies = ['as-decided', 'fastest', 'longest-idle', 'in-turn'] as const;
export type Strategy = (typeof strategies)[number];

/** What a strategy looks at first; where that is equal, all of them go on as decisions are made. */
const first: Readonly<Record<Strategy, (candidate: Candidate) => number>> = {
  'as-decided': () => 0,
  fastest: ({ cycleMinutes }) => cycleMinutes ?? Infinity,
  'longest-idle': ({ lastAssignedAt }) => lastAssignedAt ?? -Infinity,
  'in-turn': ({ hadTurn, sortPriority }) => Number(hadTurn) * 1_000 + sortPriority,
};

/**
 * Whom a decision goes to when it is made again from what the log says: from its candidates alone, in any order. Undefined
 * when there were none, or it is no trace.
 */
export function replayed(trace: unknown, strategy: Strategy = 'as-decided'): Candidate | undefined {
  const key = first[strategy];
  const candidates = candidatesOf(trace);
  const least = Math.min(...candidates.map(key));
  return ranked(candidates.filter((one) => key(one) === least))[0];
}

/** A choice that was made, and the trace it left. */
export interface MadeChoice {
  readonly operatorId: string;
  readonly trace: unknown;
}

export interface Replay {
  readonly choices: number;
  /** How many went to the same person again. */
  readonly same: number;
  /** How unevenly choices lay on all who could have had one, then and now. */
  readonly sigma: { readonly then: number; readonly now: number };
}

/** All choices again, each from what was known when it was made. */
export function replayAll(choices: readonly MadeChoice[], strategy: Strategy): Replay {
  const then = new Map<string, number>();
  const now = new Map<string, number>();
  const people = new Set<string>();
  let same = 0;
  for (const { operatorId, trace } of choices) {
    const again = replayed(trace, strategy)?.operatorId;
    for (const one of candidatesOf(trace)) people.add(one.operatorId);
    then.set(operatorId, (then.get(operatorId) ?? 0) + 1);
    if (again !== undefined) now.set(again, (now.get(again) ?? 0) + 1);
    if (again === operatorId) same += 1;
  }
  const sigma = (counts: ReadonlyMap<string, number>) => spreadOf([...people].map((id) => counts.get(id) ?? 0)).sigma;
  return { choices: choices.length, same, sigma: { then: sigma(then), now: sigma(now) } };
}

function candidatesOf(trace: unknown): Candidate[] {
  if (typeof trace !== 'object' || trace === null || !('candidates' in trace) || !Array.isArray(trace.candidates)) {
    return [];
  }
  return trace.candidates.filter(isCandidate);
}

function isCandidate(one: unknown): one is Candidate {
  return typeof one === 'object' && one !== null && 'operatorId' in one && 'load' in one && 'hadTurn' in one;
}
