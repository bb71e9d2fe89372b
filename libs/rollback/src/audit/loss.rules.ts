import type { Anchor } from './anchor.contract.js';
import type { ToldLoss } from './audit.contract.js';

/** An entry by which a restore of the control database says what the trail has lost by it. */
export interface LossEntry {
  readonly seq: number;
  readonly kind: ToldLoss['kind'];
  /** Of the newest anchor that the file had then. */
  readonly anchorHash: string;
}

/** What restores have cost by the trail's own word, and lines of the file that speak for what is lost. */
export interface Losses {
  readonly told: readonly ToldLoss[];
  /** Whether the line, which the entries contradict, is of a trail that a restore has replaced. */
  readonly excuses: (place: number) => boolean;
}

/**
 * A line is excused when it stands up to and with the newest one at the time of the restore, and speaks for entries
 * that were lost then: all that come after belong to the trail as it is now. Only `signed` lines are named by an entry.
 */
export function lossesOf(
  entries: readonly LossEntry[],
  lines: readonly Anchor[],
  signed: (anchor: Anchor) => boolean,
): Losses {
  const found = entries.map((entry) => {
    const place = lines.findLastIndex((line) => line.hash === entry.anchorHash && signed(line));
    return { ...entry, place, last: lines[place]?.seq ?? null };
  });
  return {
    told: found.map(({ seq: entry, kind, anchorHash, last }) => ({ entry, kind, anchorHash, last })),
    excuses: (place) =>
      found.some((loss) => place <= loss.place && (loss.kind === 'fork' || (lines[place]?.seq ?? 0) >= loss.seq)),
  };
}
