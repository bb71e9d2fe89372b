import { describe, expect, it } from '@jest/globals';
import { edgesAlong, publishedEdge, publishedNode } from '../graphs/graph.samples.js';
import type { NodeType } from '../graphs/node-type.rules.js';
import { PublishedVersion, type PublishedEdge, type PublishedNode } from '../graphs/published-version.rules.js';
import { canBeginAt, entryOf, qtyAt } from './hand-over.rules.js';

function node(code: string): PublishedNode {
  const types: Readonly<Record<string, NodeType>> = {
    START: 'start',
    END: 'end',
    SPLIT: 'split',
    JOIN: 'join',
    IF: 'decision',
  };
  return publishedNode(code, types[code] ?? 'operation');
}

/** Paths such as `START-CUT-END`; `IF-PACK*` is what is taken by default. */
function version(...paths: readonly string[]): PublishedVersion {
  const edges = paths.flatMap((path) => edgesAlong(path, edge));
  const codes = new Set(edges.flatMap(({ fromId, toId }) => [fromId, toId]));
  return new PublishedVersion('v', 'g', 'G', 1, [...codes].map(node), edges);
}

function edge(from: string, to: string): PublishedEdge {
  return publishedEdge(from.replace('*', ''), to.replace('*', ''), { isDefault: to.endsWith('*') });
}

const done = (nodeCode: string, goodQty: number) => ({ nodeCode, status: 'completed', goodQty }) as const;
const skipped = (nodeCode: string) => ({ nodeCode, status: 'skipped', goodQty: 0 }) as const;
const begun = (nodeCode: string, goodQty: number) => ({ nodeCode, status: 'in_progress', goodQty }) as const;

function where(of: PublishedVersion, ...told: Parameters<typeof entryOf>[1]): string {
  const entry = entryOf(of, told, 100);
  return entry ? `${entry.node.code} ${entry.qty}` : 'nowhere';
}

const line = version('START-CUT-SEW-PACK-END');
const forked = version('START-CUT-SPLIT-BODY-JOIN-PACK-END', 'SPLIT-STRAP-HOLES-JOIN');

describe('where a job that stations ran goes on', () => {
  it('is where it begins, with all of it, when they have done nothing', () => {
    expect(where(line)).toBe('CUT 100');
  });

  it('is the first node that is not finished, with what the one before has made well', () => {
    expect(where(line, done('CUT', 97))).toBe('SEW 97');
    expect(where(line, done('CUT', 97), begun('SEW', 40))).toBe('SEW 97');
    expect(where(line, done('CUT', 97), done('SEW', 90))).toBe('PACK 90');
  });

  it('takes from further back what was skipped', () => {
    expect(where(line, done('CUT', 97), skipped('SEW'))).toBe('PACK 97');
    expect(where(line, skipped('CUT'), skipped('SEW'))).toBe('PACK 100');
  });

  it('is the split while several of its branches are open, and the branch when only one is', () => {
    expect(where(forked, done('CUT', 97))).toBe('SPLIT 97');
    expect(where(forked, done('CUT', 97), done('STRAP', 96))).toBe('SPLIT 97');
    expect(where(forked, done('CUT', 97), done('STRAP', 96), done('HOLES', 95))).toBe('BODY 97');
    expect(where(forked, done('CUT', 97), done('BODY', 96))).toBe('STRAP 97');
  });

  it('has the least of its branches after a join', () => {
    const parts = [done('CUT', 97), done('BODY', 93), done('STRAP', 96), done('HOLES', 95)];
    expect(where(forked, ...parts)).toBe('PACK 93');
  });

  it('follows the default of a choice, which alone is made at stations', () => {
    const choice = version('START-CUT-IF-GIFT-PACK-END', 'IF-PACK*');
    expect(where(choice, done('CUT', 99))).toBe('PACK 99');
  });

  it('is nowhere when everything is finished', () => {
    expect(where(line, done('CUT', 9), done('SEW', 9), skipped('PACK'))).toBe('nowhere');
  });

  it('can be said by hand: where people work, or where the work parts', () => {
    const possible = forked.nodes.filter((one) => canBeginAt(forked, one)).map(({ code }) => code);
    expect(possible.toSorted()).toEqual(['BODY', 'CUT', 'HOLES', 'PACK', 'SPLIT', 'STRAP']);
    expect(qtyAt(forked, [done('CUT', 97), done('STRAP', 96)], node('HOLES'), 100)).toBe(96);
  });
});
