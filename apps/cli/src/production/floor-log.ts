import { z } from 'zod';
import { recordsOf } from '../wms/csv-text.js';

const count = z.string().regex(/^\d*$/).transform(Number);
const time = z.string().regex(/^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})?$/);

/** A row as such logs have it; columns that are not needed are left out. */
const row = z.object({
  'Case ID': z.string(),
  Activity: z.string(),
  Resource: z.string(),
  'Start Timestamp': time,
  'Complete Timestamp': time,
  'Work Order Qty': count,
  'Part Desc.': z.string(),
  'Worker ID': z.string(),
  'Report Type': z.enum(['D', 'S', 'B']),
  'Qty Completed': count,
  'Qty Rejected': count,
  'Qty for MRB': count,
  Rework: z.enum(['Y', '']),
});
type Row = z.infer<typeof row>;

const kinds = { D: 'work', S: 'setup', B: 'breakdown' } as const;

/** Something that somebody did at a machine. */
interface Step {
  readonly activity: string;
  readonly machine: string;
  readonly worker: string;
  readonly kind: (typeof kinds)[keyof typeof kinds];
  readonly startedAt: string;
  readonly endedAt: string;
  readonly goodQty: number;
  readonly scrapQty: number;
  readonly reviewQty: number;
  readonly isRework: boolean;
}

export interface Case {
  readonly id: string;
  readonly qty: number;
  readonly part: string;
  /** In the order in which they began. */
  readonly steps: readonly Step[];
}

/** What a log says, and what of it cannot be taken. */
export interface FloorLog {
  readonly cases: readonly Case[];
  readonly rows: number;
  /** Rows that are not taken, by why not. */
  readonly refused: Readonly<Record<Refusal, number>>;
  /** Rows that are word for word as another one: they are taken, because a shift can report the same twice. */
  readonly duplicates: number;
  readonly activities: readonly string[];
  readonly machines: readonly string[];
  readonly workers: readonly string[];
  readonly parts: number;
}

type Refusal = 'no-time' | 'ends-before-it-starts' | 'unreadable';

/** Reads a log whose times are those of the clock on the wall, so far from UTC as `offset` says (`-05:00`). */
export async function readFloorLog(file: string, offset: string): Promise<FloorLog> {
  const refused: Record<Refusal, number> = { 'no-time': 0, 'ends-before-it-starts': 0, unreadable: 0 };
  const cases = new Map<string, { qty: number; part: string; steps: Step[] }>();
  const seen = {
    activities: new Set<string>(),
    machines: new Set<string>(),
    workers: new Set<string>(),
    parts: new Set<string>(),
  };
  const texts = new Set<string>();
  let rows = 0;
  for await (const record of recordsOf(file)) {
    rows += 1;
    texts.add(JSON.stringify({ ...record, Row: '' }));
    const read = row.safeParse(record);
    if (!read.success) {
      refused.unreadable += 1;
      continue;
    }
    seen.activities.add(plain(read.data.Activity));
    seen.machines.add(plain(read.data.Resource));
    seen.workers.add(read.data['Worker ID']);
    seen.parts.add(read.data['Part Desc.']);
    const step = stepOf(read.data, offset);
    if (typeof step === 'string') refused[step] += 1;
    else stepsOf(cases, read.data).push(step);
  }
  return {
    cases: [...cases].map(([id, one]) => ({ id, ...one, steps: one.steps.toSorted(byTime) })),
    rows,
    refused,
    duplicates: rows - texts.size,
    activities: [...seen.activities],
    machines: [...seen.machines],
    workers: [...seen.workers],
    parts: seen.parts.size,
  };
}

function stepsOf(cases: Map<string, { qty: number; part: string; steps: Step[] }>, data: Row): Step[] {
  const known = cases.get(data['Case ID']) ?? { qty: data['Work Order Qty'], part: data['Part Desc.'], steps: [] };
  cases.set(data['Case ID'], known);
  return known.steps;
}

function stepOf(data: Row, offset: string): Step | Refusal {
  const [startedAt, endedAt] = [data['Start Timestamp'], data['Complete Timestamp']];
  if (startedAt === '' || endedAt === '') return 'no-time';
  if (endedAt < startedAt) return 'ends-before-it-starts';
  return {
    activity: plain(data.Activity),
    machine: plain(data.Resource),
    worker: data['Worker ID'],
    kind: kinds[data['Report Type']],
    startedAt: `${startedAt.replace(' ', 'T')}${offset}`,
    endedAt: `${endedAt.replace(' ', 'T')}${offset}`,
    goodQty: data['Qty Completed'],
    scrapQty: data['Qty Rejected'],
    reviewQty: data['Qty for MRB'],
    isRework: data.Rework === 'Y',
  };
}

/** Such names are typed by hand: spaces mean nothing. */
function plain(name: string): string {
  return name.trim().replaceAll(/\s+/g, ' ');
}

function byTime(one: Step, other: Step): number {
  return one.startedAt.localeCompare(other.startedAt) || one.endedAt.localeCompare(other.endedAt);
}
