import type { JournalPoint } from '../../libs/rollback/src/engine/journal-point.js';
import type { CrashCase } from './crash-cases.js';
import type { Cell } from './crash-matrix.js';
import type { Kill } from './crash-orders.js';

interface Chain {
  /** Whether the step is taken back. */
  readonly back: boolean;
  /** In the order in which one run passes them: it is cut off at each. */
  readonly points: readonly JournalPoint[];
}

/** Where a run is cut off again and again; a point that only an undisturbed run passes begins a chain of its own. */
export const chains: readonly Chain[] = [
  {
    back: false,
    points: ['before-preview', 'before-intent', 'after-intent', 'after-effect', 'in-verify', 'after-verify'],
  },
  { back: false, points: ['after-intent', 'after-result'] },
  {
    back: true,
    points: [
      'after-effect',
      'before-compensation-intent',
      'after-compensation-intent',
      'after-compensation',
      'after-compensation-result',
    ],
  },
  { back: true, points: ['after-result', 'after-compensation-intent'] },
];

/** Dead at the point, without its sessions at the point, without its sessions in the middle of what comes next. */
export const deaths: readonly Pick<Kill, 'how' | 'afterMs'>[] = [
  { how: 'process', afterMs: 0 },
  { how: 'sessions', afterMs: 0 },
  { how: 'sessions', afterMs: 15 },
];

/** Every point of the journal, by every kind of death. */
export function cellsOf(subject: CrashCase): Cell[] {
  const idx = subject.leading?.length ?? 0;
  return deaths.flatMap((death) =>
    chains.map(({ back, points }) => ({ subject, back, kills: points.map((point) => ({ point, idx, ...death })) })),
  );
}
