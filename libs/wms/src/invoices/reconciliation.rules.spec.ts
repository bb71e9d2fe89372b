import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Money, Qty } from '../money.rules.js';
import {
  type Billed,
  carryDecisions,
  type DecidedLine,
  reconcile,
  reconciledState,
  type ReconciledLine,
  type Tolerance,
} from './reconciliation.rules.js';

const gbp = (text: string) => Money.parse(text, 'GBP');
const billed = (name: string, quantity: string, amount: string, category = 'Storage'): Billed => ({
  category,
  name,
  quantity: Qty.parse(quantity),
  amount: gbp(amount),
});
const tolerance = (absolute = '0.01', percent = '0'): Tolerance => ({
  absolute: gbp(absolute),
  percent: Qty.parse(percent),
});
const read = (line: ReconciledLine | undefined) =>
  line && [line.name, line.result, line.difference, line.rateVariance, line.qtyVariance].map(String);

describe('expected against invoiced', () => {
  it.each([
    ['54.60', 'match'],
    ['54.61', 'match'],
    ['54.59', 'match'],
    ['54.62', 'overbilled'],
    ['54.58', 'underbilled'],
  ])('54.60 is invoiced as %s: %s', (amount, result) => {
    const [line] = reconcile([billed('Week', '14', '54.60')], [billed('Week', '14', amount)], [], tolerance());
    expect(line?.result).toBe(result);
  });

  it.each([
    ['1.5', '101.50', 'match'],
    ['1.5', '101.51', 'overbilled'],
    ['1.5', '98.50', 'match'],
    ['1.5', '98.49', 'underbilled'],
    ['0', '100.01', 'match'],
  ])('within %s percent of 100.00, %s is a %s', (percent, amount, result) => {
    const [line] = reconcile(
      [billed('Week', '1', '100.00')],
      [billed('Week', '1', amount)],
      [],
      tolerance('0.01', percent),
    );
    expect(line?.result).toBe(result);
  });

  it('names what was not expected and what was not billed', () => {
    const lines = reconcile(
      [billed('Week', '14', '54.60'), billed('Rounding', '1', '0.01')],
      [billed('Fuel', '1', '0.01', 'Accessorial')],
      [],
      tolerance(),
    );
    expect(lines.map((line) => [line.name, line.result, line.difference.toString()])).toEqual([
      ['Week', 'not_billed', '-54.60'],
      ['Rounding', 'match', '-0.01'],
      ['Fuel', 'unexpected', '0.01'],
    ]);
  });

  it('sums both sides by their key before it compares', () => {
    const lines = reconcile(
      [billed('Week', '10', '39.00'), billed('Week', '4', '15.60')],
      [billed('week ', '7', '27.30'), billed(' WEEK', '7', '27.30')],
      [],
      tolerance(),
    );
    expect(lines.map(read)).toEqual([['Week', 'match', '0.00', '0.00', '0.00']]);
  });

  it('reads the wording of the operator', () => {
    const lines = reconcile(
      [billed('Storage cost per pallet / week', '14', '54.60')],
      [billed('Pallet  STORAGE', '14', '54.60')],
      [{ category: 'Storage', alias: 'pallet storage', rateName: 'Storage cost per pallet / week' }],
      tolerance(),
    );
    expect(lines.map(read)).toEqual([['Storage cost per pallet / week', 'match', '0.00', '0.00', '0.00']]);
  });

  it('does not take one category for another, however the words run together', () => {
    const lines = reconcile([billed('B::C', '1', '1', 'A')], [billed('C', '1', '1', 'A::B')], [], tolerance());
    expect(lines.map((line) => line.result)).toEqual(['not_billed', 'unexpected']);
  });

  it.each([
    ['a higher price', '10', '45.00', ['6.00', '6.00', '0.00']],
    ['more of it', '12', '46.80', ['7.80', '0.00', '7.80']],
    ['both', '12', '54.00', ['15.00', '7.20', '7.80']],
    ['nothing', '0', '0', ['-39.00', '0.00', '-39.00']],
  ])('says what %s makes', (_, quantity, amount, variances) => {
    const [line] = reconcile([billed('Week', '10', '39.00')], [billed('Week', quantity, amount)], [], tolerance());
    expect(read(line)?.slice(2)).toEqual(variances);
  });

  it('adds up, whatever is billed', () => {
    const side = fc.array(
      fc.record({
        name: fc.constantFrom('a', 'B', ' b', 'c'),
        quantity: fc.bigInt({ min: -50n, max: 10_000n }),
        minor: fc.bigInt({ min: -100_000n, max: 10_000_000n }),
      }),
      { maxLength: 8 },
    );
    const lines = (facts: { name: string; quantity: bigint; minor: bigint }[]) =>
      facts.map(({ name, quantity, minor }) => ({
        category: 'Unit',
        name,
        quantity: Qty.of(quantity),
        amount: Money.ofMinor(minor, 'GBP'),
      }));
    fc.assert(
      fc.property(side, side, (one, other) => {
        const [expected, invoiced] = [lines(one), lines(other)];
        const found = reconcile(expected, invoiced, [], tolerance());
        const sum = (amounts: Money[]) => Money.sum(amounts, 'GBP').minor;
        expect(sum(found.map((line) => line.expectedAmount))).toBe(sum(expected.map((line) => line.amount)));
        expect(sum(found.map((line) => line.invoicedAmount))).toBe(sum(invoiced.map((line) => line.amount)));
        for (const line of found) {
          expect(line.difference.minor).toBe(line.invoicedAmount.minor - line.expectedAmount.minor);
          expect(line.rateVariance.minor + line.qtyVariance.minor).toBe(line.difference.minor);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a decision', () => {
  const run = (amount: string) =>
    reconcile([billed('Week', '14', '54.60')], [billed('Week', '14', amount)], [], tolerance());
  const decide = (lines: ReconciledLine[], decision: DecidedLine['decision']) =>
    lines.map((line): DecidedLine => ({ ...line, decision }));

  it('is kept by the next run when the numbers are the same', () => {
    expect(carryDecisions(run('60.00'), decide(run('60.00'), 'accepted')).map((line) => line.decision)).toEqual([
      'accepted',
    ]);
    expect(carryDecisions(run('61.00'), decide(run('60.00'), 'accepted')).map((line) => line.decision)).toEqual([
      'pending',
    ]);
    expect(carryDecisions(run('60.00'), []).map((line) => line.decision)).toEqual(['pending']);
  });

  it('makes the invoice reconciled once every line matches or is accepted', () => {
    expect(reconciledState(decide(run('54.60'), 'pending'))).toBe('reconciled');
    expect(reconciledState(decide(run('60.00'), 'pending'))).toBe('needs_review');
    expect(reconciledState(decide(run('60.00'), 'disputed'))).toBe('needs_review');
    expect(reconciledState(decide(run('60.00'), 'accepted'))).toBe('reconciled');
  });
});
