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
  readonly at: Date;
  readonly operatorId: string;
  readonly trace: unknown;
}

export interface Replay {
  readonly choices: number;
  /** How many went to the same person again. */
  readonly same: number;
  /** How unevenly choices lay on all who could have had one, then and now. */
  readonly sigma: { readonly then: number; readonly now: number };
  /** Minutes that a choice waits for earlier ones of the same person, on average over the `known` ones; see `backlogOf`. */
  readonly backlog: { readonly known: number; readonly then: number | null; readonly now: number | null };
}

/** All choices again, each from what was known when it was made. They come in their order. */
export function replayAll(choices: readonly MadeChoice[], strategy: Strategy): Replay {
  const then = new Map<string, number>();
  const now = new Map<string, number>();
  const people = new Set<string>();
  const paced: { readonly at: Date; readonly then: Candidate; readonly now: Candidate }[] = [];
  let same = 0;
  for (const { at, operatorId, trace } of choices) {
    const candidates = candidatesOf(trace);
    const again = replayed(trace, strategy);
    for (const one of candidates) people.add(one.operatorId);
    then.set(operatorId, (then.get(operatorId) ?? 0) + 1);
    if (again) now.set(again.operatorId, (now.get(again.operatorId) ?? 0) + 1);
    if (again?.operatorId === operatorId) same += 1;
    const first = candidates.find((one) => one.operatorId === operatorId);
    if (first && again && first.cycleMinutes !== null && again.cycleMinutes !== null)
      paced.push({ at, then: first, now: again });
  }
  const sigma = (counts: ReadonlyMap<string, number>) => spreadOf([...people].map((id) => counts.get(id) ?? 0)).sigma;
  return {
    choices: choices.length,
    same,
    sigma: { then: sigma(then), now: sigma(now) },
    backlog: {
      known: paced.length,
      then: backlogOf(paced.map(({ at, ...one }) => ({ at, who: one.then }))),
      now: backlogOf(paced.map(({ at, ...one }) => ({ at, who: one.now }))),
    },
  };
}

/**
 * Mean minutes from when something was given to somebody until they would come to it, if they did one thing after the other,
 * each in their usual time. It is for comparing strategies and no account of what happened: the log does not say what
 * people had on hand before, what they were given by hand, when they paused, went home or began, nor what limits would have
 * let in if work had been done sooner. Null for no choice at all.
 */
function backlogOf(choices: readonly { readonly at: Date; readonly who: Candidate }[]): number | null {
  const free = new Map<string, number>();
  let total = 0;
  for (const { at, who } of choices) {
    const given = at.getTime() / 60_000;
    const begins = Math.max(given, free.get(who.operatorId) ?? given);
    free.set(who.operatorId, begins + (who.cycleMinutes ?? 0));
    total += begins - given;
  }
  return choices.length === 0 ? null : total / choices.length;
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
