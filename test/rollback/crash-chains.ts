import type { JournalPoint } from '../../libs/rollback/src/engine/journal-point.js';
import type { CrashCase } from './crash-cases.js';
import type { Cell } from './crash-matrix.js';
import type { Kill } from './crash-orders.js';

interface Chain {
  /** Whether the step is taken back. */
  readonly back: boolean;
  /** In the order in which one run passes them: it is cut off at each. */
  readonly points: readonly JournalPoint[];
  readonly by: readonly Death[];
}

type Death = Pick<Kill, 'how' | 'afterMs'>;
const killed = { how: 'process', afterMs: 0 } as const;
const cut = { how: 'sessions', afterMs: 0 } as const;
const cutWithin = { how: 'sessions', afterMs: 15 } as const;

/** Dead at the point, without its sessions at the point, without its sessions in the middle of what comes next. */
export const deaths: readonly Death[] = [killed, cut, cutWithin];

/** Where a run is cut off again and again; a point that only an undisturbed run passes begins a chain of its own. */
export const chains: readonly Chain[] = [
  {
    back: false,
    points: ['before-preview', 'before-intent', 'after-intent', 'after-effect', 'in-verify', 'after-verify'],
    by: [killed, cutWithin],
  },
  { back: false, points: ['after-intent', 'after-result'], by: [killed, cut] },
  {
    back: true,
    points: [
      'after-effect',
      'before-compensation-intent',
      'after-compensation-intent',
      'after-compensation',
      'after-compensation-result',
    ],
    by: [killed, cutWithin],
  },
  { back: true, points: ['after-result', 'after-compensation-intent'], by: [cut] },
];

/** Every point of the journal, by the death of the process, and in the middle of what comes next by that of its sessions. */
export function cellsOf(subject: CrashCase): Cell[] {
  const idx = subject.leading?.length ?? 0;
  return chains.flatMap(({ back, points, by }) =>
    (subject.long ? by.slice(back ? 1 : 0, back ? 2 : 1) : by).map((death) => ({
      subject,
      back,
      kills: points.map((point) => ({ point, idx, ...death })),
    })),
  );
}
