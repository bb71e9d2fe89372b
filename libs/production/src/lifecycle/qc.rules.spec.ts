import { describe, expect, it } from '@jest/globals';
import { publishedEdge } from '../graphs/graph.samples.js';
import { failureOf, usualQc } from './qc.rules.js';

const edge = publishedEdge('qc', 'sew', { type: 'rework' });
const back = { edge, hold: null, invalid: [] };
const nowhere = { edge: null, hold: 'NO_ROUTE', invalid: [] } as const;
const unclear = { edge: null, hold: 'AMBIGUOUS_ROUTE', invalid: [] } as const;
const token = { reworkCount: 0, reworkLimit: null };
const plain = { mode: 'same_piece', hasTarget: false } as const;

describe('a piece that failed', () => {
  it('is not reworked more often than it may: the node says, else the token, else three times', () => {
    const held = { act: 'hold', holdCode: 'SUPERVISOR' };
    expect(failureOf(usualQc, { ...token, reworkCount: 2 }, plain, back)).toEqual({ act: 'follow', edge });
    expect(failureOf(usualQc, { ...token, reworkCount: 3 }, plain, back)).toEqual(held);
    expect(failureOf(usualQc, { reworkCount: 1, reworkLimit: 1 }, plain, back)).toEqual(held);
    const strict = { ...usualQc, reworkLimit: 2 };
    expect(failureOf(strict, { reworkCount: 1, reworkLimit: 1 }, plain, back)).toEqual({ act: 'follow', edge });
    expect(failureOf(strict, { reworkCount: 2, reworkLimit: 9 }, plain, back)).toEqual(held);
  });

  it('is scrapped only where that is allowed', () => {
    const allowed = { ...usualQc, allowScrap: true };
    const often = { ...token, reworkCount: 3 };
    expect(failureOf(allowed, often, plain, back)).toEqual({ act: 'scrap', because: 'max_rework' });
    expect(failureOf(allowed, token, plain, nowhere)).toEqual({ act: 'scrap', because: 'material_defect' });
    expect(failureOf(usualQc, token, plain, nowhere)).toEqual({ act: 'hold', holdCode: 'SUPERVISOR' });
  });

  it('has its limit before a new piece, a new piece before what a person says, and that before the graph', () => {
    const all = { mode: 'recut', hasTarget: true } as const;
    expect(failureOf(usualQc, { ...token, reworkCount: 3 }, all, back)).toMatchObject({ act: 'hold' });
    expect(failureOf(usualQc, token, all, back)).toEqual({ act: 'recut' });
    expect(failureOf(usualQc, token, { ...plain, hasTarget: true }, back)).toEqual({ act: 'send-back' });
  });

  it('waits for a supervisor when its way is unclear', () => {
    expect(failureOf(usualQc, token, plain, unclear)).toEqual({ act: 'hold', holdCode: 'AMBIGUOUS_ROUTE' });
    const strict = { ...usualQc, requireReworkEdge: true, allowScrap: true };
    expect(failureOf(strict, token, plain, nowhere)).toEqual({ act: 'hold', holdCode: 'NO_ROUTE' });
  });
});
