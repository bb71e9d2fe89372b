import { describe, expect, it } from '@jest/globals';
import { invoiceMayBecome, invoiceStates, stateByLines } from './invoice-state.rules.js';

describe('an invoice', () => {
  it('goes the ways that are drawn, and no other', () => {
    const ways = invoiceStates.flatMap((from) =>
      invoiceStates.filter((to) => invoiceMayBecome(from, to)).map((to) => `${from} > ${to}`),
    );
    expect(ways).toEqual([
      'draft > pending',
      'draft > void',
      'pending > needs_review',
      'pending > reconciled',
      'pending > void',
      'needs_review > reconciled',
      'needs_review > disputed',
      'needs_review > void',
      'reconciled > disputed',
      'reconciled > approved',
      'reconciled > void',
      'disputed > reconciled',
      'disputed > approved',
      'disputed > void',
      'approved > paid',
      'approved > void',
    ]);
  });

  it('that was paid stays paid', () => {
    expect(invoiceStates.filter((to) => invoiceMayBecome('paid', to))).toEqual([]);
  });
});

describe('an invoice by its lines', () => {
  const settled = { pending: 0, disputed: 0, openDisputes: 0 };
  it.each([
    ['pending', settled, 'reconciled'],
    ['pending', { ...settled, pending: 1 }, 'needs_review'],
    ['needs_review', settled, 'reconciled'],
    ['needs_review', { ...settled, disputed: 1 }, 'disputed'],
    ['needs_review', { ...settled, pending: 1, disputed: 1 }, 'needs_review'],
    ['reconciled', { ...settled, pending: 1 }, 'reconciled'],
    ['reconciled', { ...settled, disputed: 1 }, 'disputed'],
    ['disputed', settled, 'reconciled'],
    ['disputed', { ...settled, openDisputes: 1 }, 'disputed'],
    ['disputed', { ...settled, pending: 1 }, 'disputed'],
    ['approved', { ...settled, pending: 1 }, 'approved'],
    ['paid', { ...settled, disputed: 1 }, 'paid'],
    ['void', settled, 'void'],
  ] as const)('that is %s, with %p, is %s', (state, standing, expected) => {
    expect(stateByLines(state, standing)).toBe(expected);
    expect(expected === state || invoiceMayBecome(state, expected)).toBe(true);
  });
});
