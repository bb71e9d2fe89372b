/** Digits with at most one point: no exponent, no plus, no spaces, nothing that a JavaScript number could write. */
const decimal = /^-?\d+(\.\d+)?$/;

const RATE_SCALE = 6;
const QTY_SCALE = 4;

const withoutDecimals = new Set('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' '));
const withThreeDecimals = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '));

/** How many decimals the smallest coin of the currency has. */
export function currencyScale(currency: string): number {
  if (withoutDecimals.has(currency)) return 0;
  return withThreeDecimals.has(currency) ? 3 : 2;
}

/** The text is not a decimal, or has more decimals than fit without rounding. */
export class NotExact extends Error {
  override readonly name = 'NotExact';
}

export class CurrencyMismatch extends Error {
  override readonly name = 'CurrencyMismatch';

  constructor(
    readonly one: string,
    readonly other: string,
  ) {
    super(`${one} cannot be reckoned with ${other}: there is no exchange`);
  }
}

/**
 * A number that is written exactly. What is common to amounts, rates and quantities: they are made from text or bigint,
 * become text, in JSON too, and refuse to become a JavaScript number.
 */
abstract class Exact {
  abstract toString(): string;

  toJSON(): string {
    return this.toString();
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'number') throw new NotExact(`${this.toString()} would lose digits as a number`);
    return this.toString();
  }
}

/** An amount in the smallest coin of its currency. */
export class Money extends Exact {
  readonly #minor: bigint;

  private constructor(
    minor: bigint,
    readonly currency: string,
  ) {
    super();
    this.#minor = minor;
  }

  static parse(text: string, currency: string): Money {
    return new Money(scaled(text, currencyScale(currency)), currency);
  }

  static ofMinor(minor: bigint, currency: string): Money {
    return new Money(minor, currency);
  }

  static zero(currency: string): Money {
    return new Money(0n, currency);
  }

  static sum(amounts: Iterable<Money>, currency: string): Money {
    let total = Money.zero(currency);
    for (const amount of amounts) total = total.plus(amount);
    return total;
  }

  /** In the smallest coin. */
  get minor(): bigint {
    return this.#minor;
  }

  plus(other: Money): Money {
    return new Money(this.#minor + this.same(other), this.currency);
  }

  minus(other: Money): Money {
    return new Money(this.#minor - this.same(other), this.currency);
  }

  negated(): Money {
    return new Money(-this.#minor, this.currency);
  }

  absolute(): Money {
    return this.#minor < 0n ? this.negated() : this;
  }

  /** Negative, zero or positive, as the other is more, equal or less. */
  compare(other: Money): -1 | 0 | 1 {
    const difference = this.#minor - this.same(other);
    if (difference === 0n) return 0;
    return difference < 0n ? -1 : 1;
  }

  /** Parts in proportion to the weights that sum to this exactly; coins that do not divide go to the largest remainders. */
  split(weights: readonly bigint[]): Money[] {
    return shares(this.#minor, weights).map((minor) => new Money(minor, this.currency));
  }

  override toString(): string {
    return written(this.#minor, currencyScale(this.currency));
  }

  private same(other: Money): bigint {
    if (other.currency !== this.currency) throw new CurrencyMismatch(this.currency, other.currency);
    return other.#minor;
  }
}

/** A price per unit, with up to six decimals. */
export class Rate extends Exact {
  readonly #digits: bigint;

  private constructor(
    digits: bigint,
    readonly currency: string,
  ) {
    super();
    this.#digits = digits;
  }

  static parse(text: string, currency: string): Rate {
    return new Rate(scaled(text, RATE_SCALE), currency);
  }

  /** The exact product, rounded once to the currency, half away from zero. */
  times(quantity: Qty): Money {
    const exact = this.#digits * quantity.digits * 10n ** BigInt(currencyScale(this.currency));
    return Money.ofMinor(rounded(exact, 10n ** BigInt(RATE_SCALE + QTY_SCALE)), this.currency);
  }

  /** As people write prices: at least the decimals of the currency. */
  override toString(): string {
    return shortened(written(this.#digits, RATE_SCALE), currencyScale(this.currency));
  }
}

/** How much of something is charged, with up to four decimals. */
export class Qty extends Exact {
  readonly #digits: bigint;

  private constructor(digits: bigint) {
    super();
    this.#digits = digits;
  }

  static parse(text: string): Qty {
    return new Qty(scaled(text, QTY_SCALE));
  }

  static of(whole: bigint): Qty {
    return new Qty(whole * 10n ** BigInt(QTY_SCALE));
  }

  static sum(quantities: Iterable<Qty>): Qty {
    let digits = 0n;
    for (const quantity of quantities) digits += quantity.#digits;
    return new Qty(digits);
  }

  /** In ten thousandths. */
  get digits(): bigint {
    return this.#digits;
  }

  get isZero(): boolean {
    return this.#digits === 0n;
  }

  negated(): Qty {
    return new Qty(-this.#digits);
  }

  split(weights: readonly bigint[]): Qty[] {
    return shares(this.#digits, weights).map((digits) => new Qty(digits));
  }

  override toString(): string {
    return shortened(written(this.#digits, QTY_SCALE), 0);
  }
}

/** The nearest whole number; halves go away from zero, as PostgreSQL's round(numeric) does. */
export function rounded(dividend: bigint, divisor: bigint): bigint {
  if (divisor <= 0n) throw new RangeError('Only a positive number divides');
  const half = dividend < 0n ? -divisor : divisor;
  return (dividend * 2n + half) / (divisor * 2n);
}

/** Whole parts of the total in proportion to the weights; equal ones when nothing weighs anything. */
function shares(total: bigint, weights: readonly bigint[]): bigint[] {
  if (weights.length === 0) throw new RangeError('There is nobody to share with');
  if (weights.some((weight) => weight < 0n)) throw new RangeError('A weight is not negative');
  const sum = weights.reduce((all, weight) => all + weight, 0n);
  if (sum === 0n)
    return shares(
      total,
      weights.map(() => 1n),
    );

  const size = total < 0n ? -total : total;
  const parts = weights.map((weight, index) => ({
    index,
    share: (size * weight) / sum,
    remainder: (size * weight) % sum,
  }));
  const left = size - parts.reduce((all, part) => all + part.share, 0n);
  const first = parts.toSorted(
    (one, other) => Number(one.remainder < other.remainder) - Number(one.remainder > other.remainder),
  );
  for (const part of first.slice(0, Number(left))) part.share += 1n;
  return parts.map(({ share }) => (total < 0n ? -share : share));
}

function scaled(text: string, scale: number): bigint {
  // Also for values that come from a driver or from JSON, where the compiler does not look.
  if (typeof text !== 'string' || !decimal.test(text))
    throw new NotExact(`${JSON.stringify(text)} is not an exact decimal`);
  const [whole = '', fraction = ''] = text.split('.');
  if (/[1-9]/.test(fraction.slice(scale))) throw new NotExact(`${text} has more than ${scale} decimals`);
  return BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'));
}

function written(digits: bigint, scale: number): string {
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/** Without the zeros at the end, down to that many decimals. */
function shortened(text: string, least: number): string {
  const [whole = '', fraction = ''] = text.split('.');
  const kept = fraction.replace(/0+$/, '').padEnd(least, '0');
  return kept === '' ? whole : `${whole}.${kept}`;
}
