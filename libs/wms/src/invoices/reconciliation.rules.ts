import { Money, Qty, rounded } from '../money.rules.js';

export const reconciliationResults = ['match', 'overbilled', 'underbilled', 'unexpected', 'not_billed'] as const;
export type ReconciliationResult = (typeof reconciliationResults)[number];
export type ReconciliationDecision = 'pending' | 'accepted' | 'disputed';

/** A charge that was expected, or a line of the invoice. */
export interface Billed {
  readonly category: string;
  readonly name: string;
  readonly quantity: Qty;
  readonly amount: Money;
}

/** A wording of the operator and the name of the rate that it stands for. */
export interface RateAlias {
  readonly category: string;
  readonly alias: string;
  readonly rateName: string;
}

/** A difference up to the larger of the two is none. */
export interface Tolerance {
  readonly absolute: Money;
  /** Of the expected amount, in percent. */
  readonly percent: Qty;
}

export interface ReconciledLine {
  readonly category: string;
  readonly name: string;
  readonly expectedQty: Qty;
  readonly invoicedQty: Qty;
  readonly expectedAmount: Money;
  readonly invoicedAmount: Money;
  /** Invoiced less expected, everywhere. */
  readonly difference: Money;
  /** What the invoiced quantity costs more for its price alone; the rest is what it costs more for being more. */
  readonly rateVariance: Money;
  readonly qtyVariance: Money;
  readonly result: ReconciliationResult;
}

export interface DecidedLine extends ReconciledLine {
  readonly decision: ReconciliationDecision;
}

/** The name as it is compared: case and spaces do not count. */
export function comparableName(name: string): string {
  return name.trim().replaceAll(/\s+/g, ' ').toLowerCase();
}

/**
 * Expected against invoiced, one line for each category and name. Both sides are summed by it before they are compared.
 * The name shown is that of the expectation, where there is one.
 */
export function reconcile(
  expected: readonly Billed[],
  invoiced: readonly Billed[],
  aliases: readonly RateAlias[],
  tolerance: Tolerance,
): ReconciledLine[] {
  const meant = new Map(aliases.map(({ category, alias, rateName }) => [lineKey(category, alias), rateName]));
  const groups = new Map<string, { category: string; name: string; expected: Billed[]; invoiced: Billed[] }>();
  for (const side of ['expected', 'invoiced'] as const) {
    for (const line of side === 'expected' ? expected : invoiced) {
      const name = meant.get(lineKey(line.category, line.name)) ?? line.name;
      const key = lineKey(line.category, name);
      const group = groups.get(key) ?? { category: line.category, name, expected: [], invoiced: [] };
      group[side].push(line);
      groups.set(key, group);
    }
  }
  return [...groups.values()].map((group) => compareSides(group, tolerance));
}

/** Decisions made on the run before, where the numbers of the line have not changed since. */
export function carryDecisions(lines: readonly ReconciledLine[], before: readonly DecidedLine[]): DecidedLine[] {
  const decided = new Map(before.map((line) => [lineKey(line.category, line.name), line]));
  return lines.map((line) => {
    const earlier = decided.get(lineKey(line.category, line.name));
    const same = earlier !== undefined && numbersOf(earlier) === numbersOf(line);
    return { ...line, decision: same ? earlier.decision : 'pending' };
  });
}

/** A line that nobody has to look at any more. */
export function isSettled({ result, decision }: Pick<DecidedLine, 'result' | 'decision'>): boolean {
  return result === 'match' || decision === 'accepted';
}

/** What the invoice becomes by its lines. */
export function reconciledState(lines: readonly DecidedLine[]): 'reconciled' | 'needs_review' {
  return lines.every(isSettled) ? 'reconciled' : 'needs_review';
}

function compareSides(
  group: { category: string; name: string; expected: readonly Billed[]; invoiced: readonly Billed[] },
  tolerance: Tolerance,
): ReconciledLine {
  const { currency } = tolerance.absolute;
  const expectedQty = Qty.sum(group.expected.map((line) => line.quantity));
  const invoicedQty = Qty.sum(group.invoiced.map((line) => line.quantity));
  const expectedAmount = Money.sum(
    group.expected.map((line) => line.amount),
    currency,
  );
  const invoicedAmount = Money.sum(
    group.invoiced.map((line) => line.amount),
    currency,
  );
  const difference = invoicedAmount.minus(expectedAmount);
  const rateVariance = rateVarianceOf(expectedAmount, expectedQty, invoicedAmount, invoicedQty);
  return {
    category: group.category,
    name: group.name,
    expectedQty,
    invoicedQty,
    expectedAmount,
    invoicedAmount,
    difference,
    rateVariance,
    qtyVariance: difference.minus(rateVariance),
    result: resultOf(group, expectedAmount, difference, tolerance),
  };
}

function resultOf(
  group: { expected: readonly Billed[]; invoiced: readonly Billed[] },
  expected: Money,
  difference: Money,
  tolerance: Tolerance,
): ReconciliationResult {
  if (group.expected.length === 0) return 'unexpected';
  if (isWithin(difference, expected, tolerance)) return 'match';
  if (group.invoiced.length === 0) return 'not_billed';
  return difference.minor > 0n ? 'overbilled' : 'underbilled';
}

/** Compared exactly, so that a difference of just the tolerance is still a match. */
function isWithin(difference: Money, expected: Money, { absolute, percent }: Tolerance): boolean {
  const off = difference.absolute();
  if (off.compare(absolute) <= 0) return true;
  const hundredPercent = Qty.of(100n).digits;
  return off.minor * hundredPercent <= expected.absolute().minor * percent.digits;
}

/** (invoiced rate − expected rate) · invoiced quantity, each rate being the amount by its quantity; rounded once. */
function rateVarianceOf(expected: Money, expectedQty: Qty, invoiced: Money, invoicedQty: Qty): Money {
  const quantity = expectedQty.digits;
  if (quantity === 0n) return Money.zero(expected.currency);
  const sign = quantity < 0n ? -1n : 1n;
  const atExpectedRate = rounded(sign * expected.minor * invoicedQty.digits, sign * quantity);
  return invoiced.minus(Money.ofMinor(atExpectedRate, expected.currency));
}

function numbersOf(line: ReconciledLine): string {
  return JSON.stringify([line.expectedQty, line.invoicedQty, line.expectedAmount, line.invoicedAmount, line.result]);
}

/** What a line is compared under: as JSON, so that no category and name can read like another pair. */
export function lineKey(category: string, name: string): string {
  return JSON.stringify([category, comparableName(name)]);
}
