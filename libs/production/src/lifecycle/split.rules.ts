import type { ConditionContext } from '../graphs/condition.rules.js';
import { carriesOn } from '../graphs/graph.rules.js';
import type { PublishedEdge, PublishedNode } from '../graphs/published-version.rules.js';
import { matchingEdges, nextByWeight, shareByWeight } from '../graphs/routing.rules.js';

/** One child of a split. */
export interface Part {
  readonly edge: PublishedEdge;
  /** "1", "2", … in the order of the edges. */
  readonly key: string;
  readonly no: number;
  readonly qty: number;
}

export type SplitPlan =
  | { readonly outcome: 'parts'; readonly parts: readonly Part[] }
  /** It goes whole, without children. */
  | { readonly outcome: 'whole'; readonly edge: PublishedEdge }
  | { readonly outcome: 'no-route' };

interface Splittable {
  readonly type: 'batch' | 'piece' | 'component';
  readonly qty: number;
}

/**
 * What a token is split into. `out` are all edges of the node, in edge order; `sent` says how often each was taken by the
 * single pieces of the instance so far.
 */
export function planSplit(
  { splitPolicy }: Pick<PublishedNode, 'splitPolicy'>,
  out: readonly PublishedEdge[],
  token: Splittable,
  context: ConditionContext,
  sent: (edge: PublishedEdge) => number,
): SplitPlan {
  const onward = out.filter(carriesOn);
  if (onward.length === 0) return { outcome: 'no-route' };
  const keyed = onward.map((edge, index) => ({ edge, key: String(index + 1) }));
  const weights = onward.map(({ weight }) => weight ?? 0);
  if (splitPolicy === 'RATIO' && token.type !== 'batch') {
    const edge = onward[nextByWeight(weights, onward.map(sent))];
    return edge ? { outcome: 'whole', edge } : { outcome: 'no-route' };
  }
  if (splitPolicy === 'RATIO') {
    const shares = shareByWeight(token.qty, weights);
    return partsOf(keyed.map((one, index) => ({ ...one, no: 1, qty: shares[index] ?? 0 })));
  }
  const taken = splitPolicy === 'CONDITIONAL' ? matchingEdges(out, context) : onward;
  const chosen = keyed.filter(({ edge }) => taken.includes(edge));
  return partsOf(
    chosen.flatMap(({ edge, key }) => {
      const count = splitPolicy === 'MULTIPLY' ? (edge.multiply ?? 1) : 1;
      return Array.from({ length: count }, (_, index) => ({ edge, key, no: index + 1, qty: token.qty }));
    }),
  );
}

function partsOf(parts: readonly Part[]): SplitPlan {
  const some = parts.filter(({ qty }) => qty > 0);
  return some.length > 0 ? { outcome: 'parts', parts: some } : { outcome: 'no-route' };
}

/** What a part is called, for people only: relations go by ids. */
export function serialOfPart(
  serial: string | null,
  code: string | null,
  key: string,
  no: number,
  siblings: number,
): string | null {
  if (serial === null) return null;
  return `${serial}-${code ?? key}${siblings > 1 ? `-${no}` : ''}`;
}
