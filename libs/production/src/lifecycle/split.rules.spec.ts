import { describe, expect, it } from '@jest/globals';
import type { ConditionContext } from '../graphs/condition.rules.js';
import { publishedEdge } from '../graphs/graph.samples.js';
import type { PublishedEdge } from '../graphs/published-version.rules.js';
import { planSplit, serialOfPart } from './split.rules.js';

const edge = (id: string, details: Partial<PublishedEdge> = {}) => publishedEdge('split', id, { id, ...details });
const context: ConditionContext = {
  token: { qty: 7, priority: 0, serial: null, status: 'ready', reworkCount: 0, metadata: {}, qcResult: null },
  job: { priority: 0, targetQty: 7, processMode: 'batch', line: 'atelier', attributes: {} },
  node: { type: 'split', code: 'SPLIT', teamCategory: null, workCenterCode: null },
};
const batch = (qty: number) => ({ type: 'batch', qty }) as const;
const piece = { type: 'piece', qty: 1 } as const;
const never = () => 0;
const sharesOf = (weights: readonly number[], qty: number) => {
  const edges = weights.map((weight, n) => edge(String(n), { weight }));
  const plan = planSplit({ splitPolicy: 'RATIO' }, edges, batch(qty), context, never);
  return plan.outcome === 'parts' ? plan.parts.map((part) => `${part.key}: ${part.qty}`) : plan.outcome;
};

describe('a split', () => {
  it('makes one child for each edge, rework left out', () => {
    const plan = planSplit(
      { splitPolicy: 'ALL' },
      [edge('a'), edge('r', { type: 'rework' }), edge('b')],
      piece,
      context,
      never,
    );
    expect(plan).toMatchObject({
      outcome: 'parts',
      parts: [
        { key: '1', no: 1 },
        { key: '2', no: 1 },
      ],
    });
  });

  it('makes as many as the edge says', () => {
    const plan = planSplit(
      { splitPolicy: 'MULTIPLY' },
      [edge('body'), edge('strap', { multiply: 2 })],
      piece,
      context,
      never,
    );
    expect(plan).toMatchObject({
      parts: [
        { key: '1', no: 1 },
        { key: '2', no: 1 },
        { key: '2', no: 2 },
      ],
    });
  });

  it('shares a batch by weight, whole units to the largest remainders, and nothing for nothing', () => {
    expect(sharesOf([0.5, 0.3, 0.2], 7)).toEqual(['1: 4', '2: 2', '3: 1']);
    expect(sharesOf([0.6, 0.4], 7)).toEqual(['1: 4', '2: 3']);
    expect(sharesOf([0.9, 0.1], 3)).toEqual(['1: 3']);
  });

  it('sends a single piece whole along the edge that is furthest behind', () => {
    const edges = [edge('a', { weight: 0.6 }), edge('b', { weight: 0.4 })];
    const sent = new Map<string, number>();
    const way = Array.from({ length: 10 }, () => {
      const plan = planSplit({ splitPolicy: 'RATIO' }, edges, piece, context, ({ id }) => sent.get(id) ?? 0);
      if (plan.outcome !== 'whole') return '?';
      sent.set(plan.edge.id, (sent.get(plan.edge.id) ?? 0) + 1);
      return plan.edge.id;
    });
    expect(way.join('')).toBe('ababaababa');
  });

  it('has no way where no condition holds', () => {
    const never50 = { groups: [[{ type: 'token_property', field: 'qty', op: '>', value: 50 } as const]] };
    const edges = [edge('a', { type: 'conditional', condition: never50 })];
    expect(planSplit({ splitPolicy: 'CONDITIONAL' }, edges, batch(7), context, never)).toEqual({ outcome: 'no-route' });
  });

  it('calls parts by what they are, else by their branch, and numbers them when there are several', () => {
    expect(serialOfPart('BLY-1', 'BODY', '1', 1, 1)).toBe('BLY-1-BODY');
    expect(serialOfPart('BLY-1', null, '2', 1, 1)).toBe('BLY-1-2');
    expect(serialOfPart('BLY-1', 'STRAP', '2', 2, 2)).toBe('BLY-1-STRAP-2');
    expect(serialOfPart(null, 'STRAP', '2', 2, 2)).toBe(null);
  });
});
