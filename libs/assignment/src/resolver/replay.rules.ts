import { ranked, type Candidate } from './ranking.rules.js';

/**
 * Whom a decision goes to when it is made again from what the log says: from its candidates alone, in any order. Undefined
 * when there were none, or it is no trace.
 */
export function replayed(trace: unknown): Candidate | undefined {
  return ranked(candidatesOf(trace))[0];
}

function candidatesOf(trace: unknown): Candidate[] {
  if (typeof trace !== 'object' || trace === null || !('candidates' in trace) || !Array.isArray(trace.candidates))
    return [];
  return trace.candidates.filter(isCandidate);
}

function isCandidate(one: unknown): one is Candidate {
  return typeof one === 'object' && one !== null && 'operatorId' in one && 'load' in one && 'hadTurn' in one;
}
