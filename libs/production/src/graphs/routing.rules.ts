import {
  asksForQcResult,
  faultOf,
  holds,
  saysDefault,
  type Condition,
  type ConditionContext,
} from './condition.rules.js';
import { carriesOn } from './graph.rules.js';
import type { PublishedEdge } from './published-version.rules.js';

export interface EdgeChoice {
  readonly edge: PublishedEdge | null;
  /** Why there is no edge. */
  readonly hold: 'NO_ROUTE' | 'AMBIGUOUS_ROUTE' | null;
  /** Edges whose condition means nothing: they count as false, and an event tells of them. */
  readonly invalid: readonly PublishedEdge[];
}

/** One token along which edge: `edges` are all that leave its node, in edge order. It is never guessed. */
export function chooseEdge(edges: readonly PublishedEdge[], context: ConditionContext): EdgeChoice {
  const onward = edges.filter(carriesOn);
  const specific = onward.filter((edge) => isSpecific(edge) && isTrue(edge, context));
  const byClass = [specific, onward.filter(isDefault), onward.filter(isPlain)];
  return { ...firstOf(byClass, specific), invalid: onward.filter(isInvalid) };
}

/**
 * Where a piece goes that failed: edges that ask what quality control found and fit, then the rework edge, then the
 * default. Whatever else leads on is for what passed.
 */
export function chooseFailEdge(edges: readonly PublishedEdge[], context: ConditionContext): EdgeChoice {
  const possible = edges.filter(({ type }) => type !== 'event');
  const specific = possible.filter((edge) => isAboutFailure(edge) && isTrue(edge, context));
  const rework = possible.filter(({ type, condition }) => type === 'rework' && condition === null);
  const byClass = [specific, rework, possible.filter((edge) => carriesOn(edge) && isDefault(edge))];
  return { ...firstOf(byClass, [...specific, ...rework]), invalid: possible.filter(isInvalid) };
}

/** The edges of a conditional split that get a part each. */
export function matchingEdges(edges: readonly PublishedEdge[], context: ConditionContext): PublishedEdge[] {
  const onward = edges.filter(carriesOn);
  const matching = onward.filter((edge) => isPlain(edge) || (isSpecific(edge) && isTrue(edge, context)));
  return matching.length > 0 ? matching : onward.filter(isDefault);
}

/**
 * Shares a quantity out by weight: whole units where it is whole, thousandths otherwise, and what is left over goes to the
 * largest remainders. The shares sum to the quantity.
 */
export function shareByWeight(quantity: number, weights: readonly number[]): number[] {
  const fraction = Number.isInteger(quantity) ? 1 : 1_000;
  const units = BigInt(Math.round(quantity * fraction));
  const parts = weights.map((weight) => BigInt(partsOf(weight)));
  const all = parts.reduce((one, other) => one + other, 0n);
  const shares = parts.map((part) => ({ whole: (units * part) / all, rest: (units * part) % all }));
  const inNeed = shares.toSorted((one, other) => Number(other.rest - one.rest));
  const left = Number(units - shares.reduce((sum, { whole }) => sum + whole, 0n));
  const more = new Set(inNeed.slice(0, left));
  return shares.map((share) => Number(share.whole + (more.has(share) ? 1n : 0n)) / fraction);
}

/** The edge that a single piece takes: the one that is furthest behind its weight, given how many each has had. */
export function nextByWeight(weights: readonly number[], sent: readonly number[]): number {
  const turn = sent.reduce((one, other) => one + other, 0) + 1;
  const all = weights.map(partsOf).reduce((one, other) => one + other, 0);
  const behind = weights.map((weight, n) => partsOf(weight) * turn - (sent[n] ?? 0) * all);
  return behind.indexOf(Math.max(...behind));
}

/** Weights as whole parts of a million: sums and comparisons are exact. */
function partsOf(weight: number): number {
  return Math.round(weight * 1_000_000);
}

/** Two that are specific and equally important cannot be told apart; otherwise the order of the edges decides. */
function firstOf(
  classes: readonly (readonly PublishedEdge[])[],
  exclusive: readonly PublishedEdge[],
): Pick<EdgeChoice, 'edge' | 'hold'> {
  const [edge, next] = classes.find((edges) => edges.length > 0) ?? [];
  if (!edge) return { edge: null, hold: 'NO_ROUTE' };
  const isAmbiguous = next?.priority === edge.priority && exclusive.includes(edge);
  return isAmbiguous ? { edge: null, hold: 'AMBIGUOUS_ROUTE' } : { edge, hold: null };
}

function isTrue({ condition }: PublishedEdge, context: ConditionContext): boolean {
  return isMeant(condition) && holds(condition, context);
}

function isSpecific({ condition }: PublishedEdge): boolean {
  return isMeant(condition) && !saysDefault(condition);
}

/** The edge that is taken when no condition holds. */
export function isDefault(edge: PublishedEdge): boolean {
  return edge.isDefault || (isMeant(edge.condition) && saysDefault(edge.condition));
}

function isPlain(edge: PublishedEdge): boolean {
  return edge.type === 'normal' && edge.condition === null && !edge.isDefault;
}

function isAboutFailure({ type, condition }: PublishedEdge): boolean {
  return isMeant(condition) && (type === 'rework' || asksForQcResult(condition));
}

function isInvalid({ condition }: PublishedEdge): boolean {
  return condition !== null && !isMeant(condition);
}

function isMeant(condition: PublishedEdge['condition']): condition is Condition {
  return condition !== null && condition !== 'invalid' && faultOf(condition) === null;
}
