import { describe, expect, it } from '@jest/globals';
import { invoiceMayBecome, invoiceStates } from './invoice-state.rules.js';

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
