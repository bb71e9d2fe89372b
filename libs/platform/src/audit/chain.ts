import { GENESIS, hashOf, type ChainedEntry } from './audit-entry.js';

/** How far the chain was followed. */
export interface Link {
  readonly seq: number;
  readonly hash: Buffer;
}

export const START: Link = { seq: 0, hash: GENESIS };

export type BreakReason = 'changed' | 'deleted' | 'reordered' | 'inserted' | 'head-mismatch';

/** The first place where the chain is not what was written. */
export interface Break {
  readonly seq: number;
  readonly reason: BreakReason;
}

/** Where following the chain came to its end, and the entry that does not go on from there. */
export interface Stop {
  readonly last: Link;
  readonly met: ChainedEntry;
}

/** Follows entries that are ordered by their number; stops at the first that does not follow the one before. */
export function follow(from: Link, entries: readonly ChainedEntry[]): Link | Stop {
  let last = from;
  for (const met of entries) {
    const { entry, prevHash, hash } = met;
    const follows = entry.seq === last.seq + 1 && prevHash.equals(last.hash) && hash.equals(hashOf(prevHash, entry));
    if (!follows) return { last, met };
    last = { seq: entry.seq, hash };
  }
  return last;
}

/** The hashes by which to find the entries that `explain` needs: those that have one of them as `hash` or `prev_hash`. */
export function hashesAround({ last, met }: Stop): readonly Buffer[] {
  return [last.hash, met.prevHash, met.hash];
}

/** Tells from the entries around it why the chain stops. Later damage is not looked for. */
export function explain({ last, met }: Stop, around: readonly ChainedEntry[], head: Link | undefined): Break {
  const seq = last.seq + 1;
  if (met.entry.seq < seq || (head && seq > head.seq)) return { seq: met.entry.seq, reason: 'inserted' };

  const others = around.filter(({ entry }) => entry.seq !== met.entry.seq);
  const isGap = met.entry.seq > seq;
  const moved = [...others, ...(isGap ? [met] : [])].some((one) => belongs(one, last.hash, seq));
  if (isGap) return { seq, reason: moved ? 'reordered' : 'deleted' };
  if (moved) return { seq, reason: isGenuine(met, others, head) ? 'reordered' : 'inserted' };
  if (others.some(({ hash }) => hash.equals(met.hash))) return { seq, reason: 'inserted' };
  // Either its own words were changed, or the hash that it names.
  if (met.prevHash.equals(last.hash) || belongs(met, last.hash, seq)) return { seq, reason: 'changed' };

  // It is what was written here, so the one before is not.
  if (belongs(met, met.prevHash, seq)) return { seq: Math.max(last.seq, 1), reason: 'changed' };
  const parent = others.find(({ hash, entry }) => hash.equals(met.prevHash) && entry.seq < last.seq);
  const after = parent?.entry.seq ?? (met.prevHash.equals(GENESIS) ? 0 : undefined);
  if (after !== undefined && belongs(met, met.prevHash, after + 1)) return { seq: after + 1, reason: 'inserted' };
  return { seq, reason: stoodLater(met) ? 'deleted' : 'changed' };
}

/** What the head says of a chain that was followed to its end, or to the end of a range. */
export function breakAtEnd(last: Link, head: Link | undefined, to = Infinity): Break | undefined {
  if (!head) return { seq: last.seq, reason: 'head-mismatch' };
  if (last.seq < Math.min(head.seq, to)) return { seq: last.seq + 1, reason: 'deleted' };
  if (last.seq > head.seq) return { seq: head.seq + 1, reason: 'inserted' };
  const same = last.seq < head.seq || last.hash.equals(head.hash);
  return same ? undefined : { seq: last.seq, reason: 'head-mismatch' };
}

/** Whether the entry was written with this number after this hash. */
function belongs({ entry, hash }: ChainedEntry, prevHash: Buffer, seq: number): boolean {
  return hash.equals(hashOf(prevHash, { ...entry, seq }));
}

/** Whether the chain knows it as an entry, at another place, and it is no copy of one. */
function isGenuine({ hash }: ChainedEntry, others: readonly ChainedEntry[], head: Link | undefined): boolean {
  const hasSuccessor = head?.hash.equals(hash) === true || others.some((other) => other.prevHash.equals(hash));
  return hasSuccessor && !others.some((other) => other.hash.equals(hash));
}

const mostNumbersTried = 1_000;

/** Whether it was written with a higher number and moved down: the entries before it are gone. */
function stoodLater(met: ChainedEntry): boolean {
  for (let seq = met.entry.seq + 1; seq <= met.entry.seq + mostNumbersTried; seq += 1) {
    if (belongs(met, met.prevHash, seq)) return true;
  }
  return false;
}
