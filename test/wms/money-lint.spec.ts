import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { Stockroom } from './stockroom.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

const bad = [
  'Number(row.amount)',
  'Number(amount)',
  'parseFloat(rate.value)',
  "parseInt(row['amount'], 10)",
  'Number(row.invoicedAmount ?? 0)',
  'Number.parseFloat(line.unitRate)',
  '+row.amount',
  '-amount',
  'quantity * rate',
  'row.net - row.tax',
  'Math.round(row.price)',
  'price.toFixed(2)',
  'interface A { amount: number }',
  'interface A { unitRate?: number | null }',
  'function f(price: number) { return price }',
  'z.object({ amount: z.number() })',
  'z.object({ value: z.coerce.number() })',
  'z.object({ net: z.int().optional() })',
  'const sql = `SELECT amount::float8 FROM wms.cost_charge`',
  "const sql = 'SELECT sum(amount)::double precision'",
];
const good = [
  'Number(row.units)',
  'Money.parse(row.amount, currency)',
  'rate.times(quantity)',
  'interface A { amount: string }',
  'z.object({ amount: z.string(), lines: z.int() })',
  'const sql = `SELECT sum(amount)::numeric(20,2) FROM wms.cost_charge`',
];

/** Which of the lines the project's own rules find wrong, when they stand in a file of the warehouse. */
function found(lines: readonly string[]): Promise<string[]> {
  const message = z.object({ ruleId: z.string().nullable(), line: z.number() });
  return new Promise((resolve, reject) => {
    const args = ['node_modules/eslint/bin/eslint.js', '--stdin', '--format', 'json'];
    const file = ['--stdin-filename', 'libs/wms/src/charges/charge.rules.ts'];
    const child = execFile(process.execPath, [...args, ...file], { cwd: root }, (error, stdout) => {
      if (error && stdout === '') {
        reject(new Error(error.message));
        return;
      }
      const [{ messages } = { messages: [] }] = z
        .array(z.object({ messages: z.array(message) }))
        .parse(JSON.parse(stdout));
      const wrong = messages
        .filter(({ ruleId }) => ruleId === 'no-restricted-syntax')
        .map(({ line }) => lines[line - 1]);
      resolve([...new Set(wrong.filter((line) => line !== undefined))]);
    });
    child.stdin?.end(lines.join('\n'));
  });
}

describe('money never becomes a number', () => {
  let room: Stockroom;
  beforeAll(async () => {
    room = await Stockroom.open();
  });
  afterAll(() => room.close());

  it('in code: the check of the project refuses every way to do it', async () => {
    expect(await found([...bad, ...good])).toEqual(bad);
  }, 120_000);

  it('in the database: nothing there is a float', async () => {
    expect(
      await room.rows(
        `SELECT table_name, column_name FROM information_schema.columns
         WHERE table_schema = 'wms' AND data_type IN ('real', 'double precision', 'money')`,
      ),
    ).toEqual([]);
    const kept = await room.rows(
      `SELECT DISTINCT column_name FROM information_schema.columns
       WHERE table_schema = 'wms' AND data_type NOT IN ('numeric', 'boolean')
         AND column_name ~ '(amount|rate|net|tax|total|value|difference|variance|tolerance)$' AND column_name <> 'rows_total'`,
    );
    expect(kept).toEqual([]);
  });
});
