import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Condition, ConditionContext } from './condition.rules.js';
import { inEdgeOrder } from './graph.rules.js';
import { publishedEdge } from './graph.samples.js';
import type { PublishedEdge } from './published-version.rules.js';
import { chooseEdge, chooseFailEdge, matchingEdges, nextByWeight, shareByWeight } from './routing.rules.js';

const context: ConditionContext = {
  token: { qty: 12, priority: 0, serial: null, status: 'ready', reworkCount: 0, metadata: {}, qcResult: null },
  job: { priority: 0, targetQty: 12, processMode: 'batch', line: 'oem', attributes: {} },
  node: { type: 'decision', code: 'D', teamCategory: null, workCenterCode: null },
};
const failed: ConditionContext = {
  ...context,
  token: { ...context.token, qcResult: { status: 'fail', defectType: 'STITCH', severity: 'minor' } },
};
const byDefault: Condition = { groups: [[{ type: 'default' }]] };
const nonsense: Condition = { groups: [[{ type: 'token_property', field: 'colour', op: '==', value: 'red' }]] };

function qty(op: '>' | '<', value: number): Condition {
  return { groups: [[{ type: 'token_property', field: 'qty', op, value }]] };
}

function found(field: 'status' | 'defect_type', value: string): Condition {
  return { groups: [[{ type: 'token_property', field: `qc_result.${field}`, op: '==', value }]] };
}

function edges(...given: Partial<PublishedEdge>[]): PublishedEdge[] {
  return inEdgeOrder(
    given.map((one, n) => publishedEdge('from', 'to', { id: 'ABCDE'[n] ?? '', sequenceNo: n, ...one })),
  );
}

function chosen(of: readonly PublishedEdge[], asked = context): string | null {
  const { edge, hold } = chooseEdge(of, asked);
  return edge?.id ?? hold;
}

function chosenForFailed(of: readonly PublishedEdge[]): string | null {
  const { edge, hold } = chooseFailEdge(of, failed);
  return edge?.id ?? hold;
}

describe('which edge a token takes', () => {
  it('is the only one there is', () => {
    expect(chosen(edges({}))).toBe('A');
  });

  it('is none where none leads on: rework and events are no way on', () => {
    expect(chosen([])).toBe('NO_ROUTE');
    expect(chosen(edges({ type: 'rework' }, { type: 'event' }))).toBe('NO_ROUTE');
  });

  it('is the specific one that holds, before the default and before normal ones of any priority', () => {
    const specific = { type: 'conditional', condition: qty('>', 10) } as const;
    expect(chosen(edges({ priority: 9 }, { isDefault: true, priority: 9 }, specific))).toBe('C');
  });

  it('is the default when nothing specific holds, before normal ones', () => {
    const missed = { type: 'conditional', condition: qty('>', 12) } as const;
    expect(chosen(edges(missed, { priority: 9 }, { isDefault: true }))).toBe('C');
    expect(chosen(edges(missed, {}, { type: 'conditional', condition: byDefault }))).toBe('C');
  });

  it('is a normal one last, by priority and then as drawn', () => {
    expect(chosen(edges({}, { priority: 1 }, { priority: 1 }))).toBe('B');
    expect(chosen(edges({ isDefault: true }, { isDefault: true, priority: 1 }, { isDefault: true, priority: 1 }))).toBe(
      'B',
    );
  });

  it('is the specific one of the highest priority, and nobody guesses between equals', () => {
    const specific = { type: 'conditional', condition: qty('>', 10) } as const;
    expect(chosen(edges(specific, { ...specific, priority: 2 }, { isDefault: true }))).toBe('B');
    expect(chosen(edges(specific, specific, { isDefault: true }))).toBe('AMBIGUOUS_ROUTE');
  });

  it('is never one whose condition means nothing, and that is told', () => {
    const bad = [
      { type: 'conditional', condition: nonsense },
      { type: 'conditional', condition: 'invalid' },
      { type: 'conditional' },
    ] as const;
    const choice = chooseEdge(edges(...bad, { type: 'conditional', condition: qty('<', 1) }), context);
    expect(choice.hold).toBe('NO_ROUTE');
    expect(choice.invalid.map(({ id }) => id)).toEqual(['A', 'B']);
  });
});

describe('where a failed piece goes', () => {
  const pass = { type: 'conditional', condition: found('status', 'pass') } as const;

  it('is along the edge for its defect first, then back for rework, then the default', () => {
    const defect = { type: 'conditional', condition: found('defect_type', 'STITCH') } as const;
    expect(chosenForFailed(edges(pass, { isDefault: true }, { type: 'rework' }, defect))).toBe('D');
    expect(chosenForFailed(edges(pass, { isDefault: true }, { type: 'rework' }))).toBe('C');
    expect(chosenForFailed(edges(pass, { isDefault: true }))).toBe('B');
  });

  it('is nowhere on a normal edge, nor on one that asks of other things', () => {
    expect(chosenForFailed(edges({}, { type: 'conditional', condition: qty('>', 1) }))).toBe('NO_ROUTE');
  });

  it('is not guessed between two ways back, unless one is for the defect', () => {
    expect(chosenForFailed(edges({ type: 'rework' }, { type: 'rework' }))).toBe('AMBIGUOUS_ROUTE');
    const back = { type: 'rework', condition: found('defect_type', 'STITCH') } as const;
    expect(chosenForFailed(edges({ type: 'rework' }, back))).toBe('B');
  });
});

describe('the branches of a conditional split', () => {
  const missed = { type: 'conditional', condition: qty('>', 99) } as const;

  it('are all whose condition holds or who have none', () => {
    const held = { type: 'conditional', condition: qty('>', 1) } as const;
    expect(matchingEdges(edges(held, missed, {}, held), context).map(({ id }) => id)).toEqual(['A', 'C', 'D']);
  });

  it('are the default when there is no other, and else none', () => {
    expect(matchingEdges(edges(missed, { isDefault: true }), context).map(({ id }) => id)).toEqual(['B']);
    expect(matchingEdges(edges(missed), context)).toEqual([]);
  });
});

describe('shares by weight', () => {
  function walked(weights: number[], pieces: number): string {
    const sent = weights.map(() => 0);
    let path = '';
    for (let n = 0; n < pieces; n += 1) {
      const next = nextByWeight(weights, sent);
      sent[next] = (sent[next] ?? 0) + 1;
      path += 'ABC'[next] ?? '?';
    }
    return path;
  }

  it('send single pieces in turn', () => {
    expect(walked([0.6, 0.4], 10)).toBe('ABABAABABA');
    expect(walked([0.5, 0.3, 0.2], 7)).toBe('ABCAABA');
  });

  it('give the rest of a batch to the largest remainders', () => {
    expect(shareByWeight(7, [0.5, 0.3, 0.2])).toEqual([4, 2, 1]);
    expect(shareByWeight(7, [0.6, 0.4])).toEqual([4, 3]);
    expect(shareByWeight(3, [0.9, 0.1])).toEqual([3, 0]);
    expect(shareByWeight(7.5, [0.5, 0.5])).toEqual([3.75, 3.75]);
  });

  const weights = fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 2, maxLength: 6 }).map((all) => {
    const sum = all.reduce((one, other) => one + other, 0);
    return all.map((one) => one / sum);
  });

  it('sum to what there was, and none is more than one unit off', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 999_999_999_999 }),
        fc.constantFrom(1, 1_000),
        weights,
        (units, scale, of) => {
          const quantity = units / scale;
          const shares = shareByWeight(quantity, of);
          const unit = Number.isInteger(quantity) ? 1 : 0.001;
          expect(shares.reduce((one, other) => one + Math.round(other * 1_000), 0)).toBe(Math.round(quantity * 1_000));
          for (const [n, share] of shares.entries()) {
            const slack = unit + quantity * 2e-6 * of.length;
            expect(Math.abs(share - quantity * (of[n] ?? 0))).toBeLessThanOrEqual(slack);
          }
        },
      ),
    );
  });

  it('let no edge fall behind its weight by a whole piece for each other edge', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 200 }), (of, pieces) => {
        const path = walked(of.slice(0, 3), pieces);
        const sum = of.slice(0, 3).reduce((one, other) => one + other, 0);
        for (const [n, weight] of of.slice(0, 3).entries()) {
          const had = path.split('ABC'[n] ?? '').length - 1;
          expect(Math.abs(had - (pieces * weight) / sum)).toBeLessThan(3);
        }
      }),
    );
  });
});
