import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { currencyScale, Money, Qty, Rate } from '../../libs/wms/src/money.rules.js';
import { Stockroom } from './stockroom.js';

const currencies = ['GBP', 'USD', 'JPY', 'KWD', 'ISK', 'CLP', 'TND', 'EUR', 'UYI', 'XOF', 'BHD'];

/** A decimal with so many digits before and at most so many after the point. */
const decimal = (whole: number, scale: number) =>
  fc
    .tuple(
      fc.boolean(),
      fc.bigInt({ min: 0n, max: 10n ** BigInt(whole) - 1n }),
      fc.stringMatching(new RegExp(`^\\d{0,${scale}}$`)),
    )
    .map(([minus, digits, fraction]) => `${minus ? '-' : ''}${digits}${fraction === '' ? '' : `.${fraction}`}`);

describe('money in SQL', () => {
  let room: Stockroom;

  beforeAll(async () => {
    room = await Stockroom.open();
  });
  afterAll(() => room.close());

  it('is the same to the last coin: rates by quantities, rounded once', async () => {
    const cases = fc.array(fc.tuple(decimal(6, 6), decimal(7, 4), fc.constantFrom(...currencies)), {
      minLength: 300,
      maxLength: 300,
    });
    await fc.assert(
      fc.asyncProperty(cases, async (given) => {
        const found = await room.rows(
          `SELECT round(rate::numeric(14,6) * quantity::numeric(18,4), wms.currency_scale(currency))::text AS amount
           FROM unnest($1::numeric[], $2::numeric[], $3::text[]) WITH ORDINALITY AS g (rate, quantity, currency, place) ORDER BY place`,
          [given.map(([rate]) => rate), given.map(([, quantity]) => quantity), given.map(([, , currency]) => currency)],
        );
        expect(found.map((row) => row['amount'])).toEqual(
          given.map(([rate, quantity, currency]) => Rate.parse(rate, currency).times(Qty.parse(quantity)).toString()),
        );
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['2.345', '2.35'],
    ['-2.345', '-2.35'],
    ['2.344999', '2.34'],
    ['-0.005', '-0.01'],
  ])('rounds %s to %s', async (exact, rounded) => {
    expect(await room.value(`SELECT round($1::numeric, 2)::text`, [exact])).toBe(rounded);
    expect(Rate.parse(exact, 'GBP').times(Qty.of(1n)).toString()).toBe(rounded);
  });

  it('is the same sum', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(decimal(11, 2), { minLength: 1, maxLength: 200 }), async (amounts) => {
        const sum = await room.value(`SELECT sum(a)::numeric(20,2)::text FROM unnest($1::numeric(14,2)[]) AS a`, [
          amounts,
        ]);
        const money = amounts.map((amount) => Money.parse(amount, 'GBP'));
        expect(Money.sum(money, 'GBP').toString()).toBe(sum);
      }),
      { numRuns: 40 },
    );
  });

  it('comes and goes as text, to the last digit', async () => {
    const most = '999999999999.99';
    const [row = {}] = await room.rows(
      `SELECT $1::numeric(14,2) AS amount, $2::bigint AS units, $3::numeric(14,6) AS rate`,
      [Money.parse(most, 'GBP').toString(), '9007199254740991', Rate.parse('0.000001', 'GBP').toString()],
    );
    expect(row).toEqual({ amount: most, units: '9007199254740991', rate: '0.000001' });
    expect(Money.parse(String(row['amount']), 'GBP').toString()).toBe(most);
  });

  it('has the same decimals for every currency', async () => {
    const found = await room.rows(`SELECT c, wms.currency_scale(c) AS scale FROM unnest($1::text[]) AS c`, [
      currencies,
    ]);
    expect(found).toEqual(currencies.map((c) => ({ c, scale: currencyScale(c) })));
  });

  it.each([
    ['KWD', { constraint: 'warehouse_currency_has_at_most_two_decimals' }],
    ['gbp', { constraint: 'warehouse_currency_has_at_most_two_decimals' }],
    ['JPY', {}],
  ])('keeps a warehouse in %s: %p', async (currency, refusal) => {
    expect(await room.refusal(room.makeWarehouse(`IN ${currency}`, { currency }))).toMatchObject(refusal);
  });
});
