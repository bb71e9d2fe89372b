import { assignment } from '@belay/assignment';
import type { VersionItem } from '@belay/production';
import type { Domain } from '@belay/platform';
import { PolicyRegister } from '@belay/production';
import type { Crew } from './round-robin.js';
import { RoundRobin } from './round-robin.js';
import { end, operation, start, Workshop, type Worker } from './workshop.js';

/** Numbers from 0 to 1 that are the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Operator extends Worker {
  readonly category: string;
  /** How much longer than others they take. */
  readonly pace: number;
}

interface PlannedJob {
  readonly graph: number;
  readonly pieces: number;
  readonly minute: number;
  readonly priority: number;
}

interface PlannedLeave {
  readonly operator: number;
  readonly from: number;
  readonly until: number;
}

/** What is going to happen, whoever shares the work out. */
export interface Scenario {
  readonly seed: number;
  /** Sizes of the teams by category. */
  readonly crews: Readonly<Record<string, number>>;
  readonly jobs: readonly PlannedJob[];
  readonly leaves: readonly PlannedLeave[];
}

/** `share`: how much of the full floor: 1 is a hundred people and a thousand tokens. */
export function scenarioOf(seed: number, share: number): Scenario {
  const random = seeded(seed);
  const full = { cutting: 30, sewing: 36, qc: 14, finishing: 20 };
  const crews = Object.fromEntries(
    Object.entries(full).map(([category, size]) => [category, Math.round(size * share)]),
  );
  // A bag of the second graph is three tokens: itself and its two parts.
  const kinds = [...Array<number>(40).fill(0), ...Array<number>(10).fill(1), ...Array<number>(30).fill(2)];
  const some = kinds.filter((_, n) => n % Math.round(1 / share) === 0).toSorted(() => random() - 0.5);
  const jobs = some.map((graph, n) => ({
    graph,
    pieces: 10,
    minute: Math.floor(n * 4 + random() * 8),
    priority: n % 3,
  }));
  const people = Object.values(crews).reduce((one, other) => one + other, 0);
  const leaves = Array.from({ length: Math.round(people / 8) }, (_, n) => {
    const from = 30 + Math.floor(random() * 200);
    return { operator: n * 8 + Math.floor(random() * 8), from, until: from + 30 + Math.floor(random() * 120) };
  }).filter(({ operator }) => operator < people);
  return { seed, crews, jobs, leaves };
}

/** People, graphs and rules of the plant in which a scenario takes place. */
export interface Plant {
  readonly shop: Workshop;
  readonly operators: readonly Operator[];
  readonly graphs: readonly VersionItem[];
  /** Operators who are away now, as round robin knows. */
  readonly away: Set<string>;
}

export async function build(scenario: Scenario, sharedBy: 'load' | 'turns'): Promise<Plant> {
  const domains: Domain[] = sharedBy === 'load' ? [assignment] : [];
  const shop = await Workshop.open({}, ...domains);
  const random = seeded(scenario.seed + 1);
  const operators: Operator[] = [];
  const crews: Crew[] = [];
  for (const [category, size] of Object.entries(scenario.crews)) {
    const team = await shop.newTeam({ teamCategory: category });
    const crew: Operator[] = [];
    for (let n = 0; n < size; n += 1) {
      const part = { capacityPerDay: 10_000, sortPriority: n };
      const role = category === 'qc' ? 'qc' : 'operator';
      const worker = await shop.worker({ team: team.id, role, part });
      crew.push({ ...worker, category, pace: 0.7 + random() * 0.9 });
    }
    operators.push(...crew);
    crews.push({ teamId: team.id, category, operatorIds: crew.map(({ id }) => id) });
  }
  const away = new Set<string>();
  if (sharedBy === 'turns') {
    shop.api.app.get(PolicyRegister).use(new RoundRobin(crews, (id) => away.has(id)));
  }
  return { shop, operators, graphs: await drawGraphs(shop, scenario), away };
}

function drawGraphs(shop: Workshop, { crews }: Scenario): Promise<VersionItem[]> {
  const step = (code: string, teamCategory: string, estimatedMinutes: number, details: object = {}) =>
    operation(code, { teamCategory, estimatedMinutes, ...details });
  const finishers = crews['finishing'] ?? 1;
  const tailors = crews['sewing'] ?? 1;
  const decided = shop.graph(
    [
      start(),
      step('CUT', 'cutting', 12),
      { code: 'BIG', name: 'Urgent?', type: 'decision' },
      step('FINISH', 'finishing', 6, { concurrencyLimit: Math.ceil(finishers * 0.6) }),
      end(),
    ],
    [
      ['START', 'CUT'],
      ['CUT', 'BIG'],
      ['BIG', 'END', { type: 'conditional', condition: 'token.priority >= 2' }],
      ['BIG', 'FINISH', { isDefault: true }],
      ['FINISH', 'END'],
    ],
  );
  const parted = shop.parted({
    before: [step('CUT', 'cutting', 10)],
    parts: [step('BODY', 'sewing', 14), step('STRAP', 'finishing', 5)],
    after: [step('ASSEMBLE', 'sewing', 9, { wipLimit: Math.ceil(tailors * 0.4) })],
  });
  const reworked = shop.graph(
    [
      start(),
      step('SEW', 'sewing', 16, { concurrencyLimit: Math.ceil(tailors * 0.6) }),
      { code: 'QC', name: 'Check', type: 'qc', teamCategory: 'qc', estimatedMinutes: 4 },
      end(),
    ],
    [
      ['START', 'SEW'],
      ['SEW', 'QC'],
      ['QC', 'END'],
      ['QC', 'SEW', { type: 'rework' }],
    ],
  );
  return Promise.all([decided, parted, reworked]);
}
