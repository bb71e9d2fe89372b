import type { FloorLog } from './floor-log.js';

interface DrawnNode {
  readonly code: string;
  readonly name: string;
  readonly type: 'start' | 'decision' | 'operation' | 'end';
  readonly teamCategory?: 'general';
  readonly workCenterId?: string | null;
}

interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  readonly type?: 'conditional';
  readonly condition?: string;
  readonly isDefault?: boolean;
}

export interface Drawing {
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
  /** The code of the node of each activity. */
  readonly codes: ReadonlyMap<string, string>;
}

/**
 * The graph that the work usually took: every activity is a node, in the order in which work comes there on average, and
 * leads to the one that most often followed it further on. Nothing leads back, so the graph can be published; what
 * happened otherwise is kept by the visits.
 */
export function usualWay(log: FloorLog, workCenters: ReadonlyMap<string, string>): Drawing {
  const codes = codesFor(log.activities);
  const ranked = byPlace(log);
  const follows = followers(log, new Map(ranked.map((activity, rank) => [activity, rank])));
  const edges: DrawnEdge[] = [];
  const entered = new Set<string>();
  for (const activity of ranked) {
    const next = follows.get(activity);
    const to = next === undefined ? 'END' : codeOf(codes, next);
    edges.push({ from: codeOf(codes, activity), to });
    entered.add(to);
  }
  const first = ranked.filter((activity) => !entered.has(codeOf(codes, activity)));
  edges.push(...beginnings(log, first).map((activity, n) => beginning(codeOf(codes, activity), n === 0)));
  const machines = mostUsed(log);
  const nodes = ranked.map((activity): DrawnNode => {
    const workCenterId = workCenters.get(machines.get(activity) ?? '') ?? null;
    return { code: codeOf(codes, activity), name: activity, type: 'operation', teamCategory: 'general', workCenterId };
  });
  const start = { code: 'START', name: 'Start', type: 'start' } as const;
  const choice = { code: 'FIRST', name: 'Where it begins', type: 'decision' } as const;
  const end = { code: 'END', name: 'End', type: 'end' } as const;
  return { nodes: [start, choice, ...nodes, end], edges: [{ from: 'START', to: 'FIRST' }, ...edges], codes };
}

/** A code as Belay has them: letters and digits in upper case, apart from each other by dashes. */
export function codesFor(names: readonly string[]): Map<string, string> {
  const codes = new Map<string, string>();
  for (const name of names) {
    const code = name
      .toUpperCase()
      .replaceAll(/[^A-Z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '')
      .slice(0, 60);
    const taken = new Set(codes.values());
    let free = code;
    for (let n = 2; taken.has(free); n += 1) free = `${code}-${n}`;
    codes.set(name, free);
  }
  return codes;
}

function codeOf(codes: ReadonlyMap<string, string>, name: string): string {
  const code = codes.get(name);
  if (code === undefined) throw new Error(`${name} has no code`);
  return code;
}

/** Activities by how far through its case a step of them is on average. */
function byPlace({ cases, activities }: FloorLog): string[] {
  const places = new Map<string, number[]>(activities.map((activity) => [activity, []]));
  for (const { steps } of cases) {
    steps.forEach(({ activity }, n) => places.get(activity)?.push(n / Math.max(1, steps.length - 1)));
  }
  const mean = (activity: string) => {
    const all = places.get(activity) ?? [];
    return all.length === 0 ? 1 : all.reduce((sum, place) => sum + place, 0) / all.length;
  };
  return activities.toSorted((one, other) => mean(one) - mean(other) || one.localeCompare(other));
}

/** What most often came right after each activity, of those that come later on average; the last ones have nothing. */
function followers({ cases }: FloorLog, rank: ReadonlyMap<string, number>): Map<string, string> {
  const counts = new Map<string, Map<string, number>>();
  for (const { steps } of cases) {
    for (const [n, { activity: next }] of steps.entries()) {
      const activity = steps[n - 1]?.activity;
      if (activity === undefined || (rank.get(next) ?? 0) <= (rank.get(activity) ?? 0)) continue;
      const of = counts.get(activity) ?? new Map<string, number>();
      counts.set(activity, of.set(next, (of.get(next) ?? 0) + 1));
    }
  }
  return new Map(
    [...counts].flatMap(([activity, of]) => {
      const [most] = [...of].toSorted(([one, a], [other, b]) => b - a || one.localeCompare(other));
      return most ? [[activity, most[0]] as const] : [];
    }),
  );
}

/** Those with which most cases began come first. */
function beginnings({ cases }: FloorLog, activities: readonly string[]): string[] {
  const begun = (activity: string) => cases.filter(({ steps }) => steps[0]?.activity === activity).length;
  return activities.toSorted((one, other) => begun(other) - begun(one));
}

function beginning(to: string, isUsual: boolean): DrawnEdge {
  if (isUsual) return { from: 'FIRST', to, isDefault: true };
  return { from: 'FIRST', to, type: 'conditional', condition: `token.metadata.first == '${to}'` };
}

/** The machine at which each activity was done most often. */
function mostUsed({ cases }: FloorLog): Map<string, string> {
  const counts = new Map<string, number>();
  for (const { activity, machine } of cases.flatMap(({ steps }) => steps)) {
    const key = `${activity}\n${machine}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const ascending = [...counts].toSorted(([, one], [, other]) => one - other);
  return new Map(
    ascending.map(([key]) => {
      const [activity = '', machine = ''] = key.split('\n');
      return [activity, machine];
    }),
  );
}
