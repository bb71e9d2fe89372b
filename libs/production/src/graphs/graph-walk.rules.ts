/** Which nodes come after which: names of nodes, whether codes or ids. */
export type Steps = ReadonlyMap<string, readonly string[]>;

export function stepsOf(edges: Iterable<{ readonly from: string; readonly to: string }>): Map<string, string[]> {
  const steps = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const after = steps.get(from);
    if (!after) steps.set(from, [to]);
    else if (!after.includes(to)) after.push(to);
  }
  return steps;
}

/** The nodes that work gets to from there, those included, nearest first. */
export function reached(steps: Steps, from: readonly string[]): Set<string> {
  const found = new Set(from);
  for (const node of found) for (const next of steps.get(node) ?? []) found.add(next);
  return found;
}

/** The nodes in an order in which each stands before what comes after it; null when they go round in a circle. */
export function inOrder(nodes: readonly string[], steps: Steps): string[] | null {
  const open = new Map(nodes.map((node) => [node, 0]));
  for (const after of steps.values()) for (const node of after) open.set(node, (open.get(node) ?? 0) + 1);
  const order = nodes.filter((node) => open.get(node) === 0);
  for (const node of order) {
    for (const next of steps.get(node) ?? []) {
      const left = (open.get(next) ?? 0) - 1;
      open.set(next, left);
      if (left === 0) order.push(next);
    }
  }
  return order.length === open.size ? order : null;
}

/** Nodes that stand on a circle. */
export function circling(nodes: readonly string[], steps: Steps): string[] {
  return nodes.filter((node) => reached(steps, steps.get(node) ?? []).has(node));
}

/**
 * The nodes that work from there passes whichever way it goes, nearest first. `ordered` is from `inOrder`; ways that end in
 * one of `apart` are not counted.
 */
export function passedAnyway(
  ordered: readonly string[],
  steps: Steps,
  from: string,
  apart: ReadonlySet<string>,
): string[] {
  const passed = new Map<string, Set<string> | null>();
  for (const node of ordered.toReversed()) passed.set(node, apart.has(node) ? null : passedFrom(node, steps, passed));
  const anyway = passed.get(from);
  return ordered.filter((node) => node !== from && anyway?.has(node) === true);
}

/** Null: every way from there ends apart. */
function passedFrom(node: string, steps: Steps, passed: ReadonlyMap<string, Set<string> | null>): Set<string> | null {
  const after = steps.get(node) ?? [];
  const ways = after.map((next) => passed.get(next)).filter((way) => way !== null && way !== undefined);
  if (ways.length === 0) return after.length === 0 ? new Set([node]) : null;
  const [first = [], ...others] = ways;
  return new Set([node, ...[...first].filter((one) => others.every((way) => way.has(one)))]);
}
