import { carriesOn } from '../graphs/graph.rules.js';
import type { PublishedEdge, PublishedNode, PublishedVersion } from '../graphs/published-version.rules.js';
import { isDefault } from '../graphs/routing.rules.js';

/** What the stations have told of a node. */
interface StationFacts {
  readonly nodeCode: string;
  readonly status: 'pending' | 'in_progress' | 'completed' | 'skipped';
  readonly goodQty: number;
}

interface Entry {
  readonly node: PublishedNode;
  /** What its predecessors have made well; all, when nothing is before it. */
  readonly qty: number;
}

/**
 * Where a job that stations ran goes on: at the first node that is not finished, or at the split when several of its
 * branches are open. Undefined when everything is finished.
 */
export function entryOf(
  version: PublishedVersion,
  told: readonly StationFacts[],
  targetQty: number,
): Entry | undefined {
  const path = pathOf(version);
  const done = new Set(told.filter(({ status }) => isOver(status)).map(({ nodeCode }) => nodeCode));
  const open = path.filter(({ node }) => version.isOperable(node.id) && !done.has(node.code));
  const first = open.filter(({ ancestors }) => !open.some(({ node }) => ancestors.has(node.id)));
  const entry = first.length > 1 ? (splitBefore(path, first) ?? first[0]) : first[0];
  return entry && { node: entry.node, qty: qtyAt(version, told, entry.node, targetQty) };
}

/** What the predecessors of the node have made well: the least of them, as all of it is needed. */
export function qtyAt(
  version: PublishedVersion,
  told: readonly StationFacts[],
  { id }: PublishedNode,
  targetQty: number,
): number {
  const stations = new Map(told.map((facts) => [facts.nodeCode, facts]));
  const made = new Map<string, number>();
  for (const { node, before } of pathOf(version)) {
    const given = Math.min(...(before.length > 0 ? before.map((one) => made.get(one) ?? targetQty) : [targetQty]));
    if (node.id === id) return given;
    const facts = stations.get(node.code);
    // What was skipped, and what is no station, hands on what it was given.
    const works = facts?.status === 'completed' || facts?.status === 'in_progress';
    made.set(node.id, works ? facts.goodQty : given);
  }
  return targetQty;
}

/** Where a token can be set down: where people work, and where the work parts. */
export function canBeginAt(version: PublishedVersion, { id, type }: PublishedNode): boolean {
  return version.isOperable(id) || type === 'split';
}

function isOver(status: StationFacts['status']): boolean {
  return status === 'completed' || status === 'skipped';
}

interface Step {
  readonly node: PublishedNode;
  /** The nodes right before it. */
  readonly before: readonly string[];
  /** All nodes before it. */
  readonly ancestors: ReadonlySet<string>;
}

/**
 * The way that a ticket for stations takes, each node after those that lead to it: all branches of a split, and of
 * conditional ones the default.
 */
function pathOf(version: PublishedVersion): Step[] {
  const before = new Map<string, string[]>();
  const seen = new Set<string>();
  const nodes: PublishedNode[] = [];
  const visit = (node: PublishedNode): void => {
    if (seen.has(node.id)) return;
    seen.add(node.id);
    for (const { toId } of edgesTaken(version, node)) {
      before.set(toId, [...(before.get(toId) ?? []), node.id]);
      visit(version.node(toId));
    }
    nodes.unshift(node);
  };
  visit(version.start);
  const ancestors = new Map<string, ReadonlySet<string>>();
  return nodes.map((node) => {
    const previous = before.get(node.id) ?? [];
    const all = new Set(previous.flatMap((id) => [id, ...(ancestors.get(id) ?? [])]));
    ancestors.set(node.id, all);
    return { node, before: previous, ancestors: all };
  });
}

function edgesTaken(version: PublishedVersion, { id, type }: PublishedNode): readonly PublishedEdge[] {
  const onward = version.out(id).filter(carriesOn);
  if (type === 'split' || onward.length < 2) return onward;
  const usual = onward.find(isDefault) ?? onward.find((edge) => edge.type === 'normal');
  return usual ? [usual] : [];
}

/** The last split from which all of them are reached. */
function splitBefore(path: readonly Step[], steps: readonly Step[]): Step | undefined {
  return path
    .filter(({ node }) => node.type === 'split' && steps.every(({ ancestors }) => ancestors.has(node.id)))
    .at(-1);
}
