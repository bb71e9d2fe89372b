import { randomUUIDv7 } from 'node:crypto';
import type { Executor } from '@belay/platform';
import { creditsOfNote, linesOfDispute, matchCreditNote, openDisputes } from '../disputes/dispute.queries.js';
import { stateByLines, type InvoiceState } from './invoice-state.rules.js';
import { Money, Qty } from '../money.rules.js';
import {
  carryDecisions,
  isSettled,
  lineKey,
  reconcile,
  type Billed,
  type DecidedLine,
} from './reconciliation.rules.js';
import { CurrencyDiffers } from '../wms.problems.js';
import { linesOfInvoice, type InvoiceRow } from './invoice.queries.js';
import {
  aliasesOf,
  chargedCurrencies,
  expectedCharges,
  insertReconLines,
  insertRun,
  linesOfRun,
  toleranceOf,
  type ReconLineRow,
} from './reconciliation.queries.js';

/** Raised when the same charges and lines would be compared in another way. */
const ENGINE_VERSION = '1';

interface Days {
  readonly from: string;
  readonly to: string;
}

/**
 * Compares an invoice with what was charged, writes that down as a new run and says its number. Decisions about lines
 * whose numbers are unchanged go on to the new run. The invoice must be locked.
 */
export async function runReconciliation(
  on: Executor,
  actor: string,
  invoice: InvoiceRow,
  days: Days = { from: invoice.periodStart, to: invoice.periodEnd },
): Promise<number> {
  const startedAt = new Date();
  const { currency } = invoice;
  const expected = isCreditNote(invoice) ? await agreedCredits(on, invoice) : await chargesOf(on, invoice, days);
  const invoiced = (await linesOfInvoice(on, [invoice.id])).map((line) => billed(line, currency));
  const aliases = await aliasesOf(on, [invoice.warehouseId]);
  const [allowed = { absolute: '0.01', percent: '0' }] = await toleranceOf(on, [invoice.warehouseId]);
  const tolerance = { absolute: Money.parse(allowed.absolute, currency), percent: Qty.parse(allowed.percent) };
  const before = await linesOfRun(on, [invoice.id, null]);
  const lines = carryDecisions(
    reconcile(expected, invoiced, aliases, tolerance),
    before.map((row) => decided(row, currency)),
  );

  const id = randomUUIDv7();
  const sums = [lines.map((line) => line.expectedAmount), lines.map((line) => line.invoicedAmount)];
  const [expectedTotal = Money.zero(currency), invoicedTotal = Money.zero(currency)] = sums.map((amounts) =>
    Money.sum(amounts, currency),
  );
  const totals = [expectedTotal, invoicedTotal, invoicedTotal.minus(expectedTotal)].map(String);
  const limits = [allowed.absolute, allowed.percent];
  const [run = { runNo: 0 }] = await insertRun(on, [
    ...[id, invoice.id, ENGINE_VERSION, currency, days.from, days.to],
    ...[...totals, ...limits, startedAt, actor],
  ]);
  await insertReconLines(on, [id, currency, ...columnsOf(lines, before)]);
  return run.runNo;
}

/** What the invoice is by the lines of its last run. */
export async function stateOf(on: Executor, invoice: InvoiceRow): Promise<InvoiceState> {
  const lines = await linesOfRun(on, [invoice.id, null]);
  const unsettled = lines.filter((line) => !isSettled(line));
  const [disputes = { open: 0 }] = await openDisputes(on, [invoice.id]);
  return stateByLines(invoice.status, {
    pending: unsettled.filter(({ decision }) => decision === 'pending').length,
    disputed: unsettled.filter(({ decision }) => decision === 'disputed').length,
    openDisputes: disputes.open,
  });
}

async function chargesOf(on: Executor, { warehouseId, currency }: InvoiceRow, { from, to }: Days): Promise<Billed[]> {
  const charges = await expectedCharges(on, [warehouseId, from, to, currency]);
  if (charges.length === 0) {
    const others = await chargedCurrencies(on, [warehouseId, from, to]);
    const [other] = others.filter((one) => one.currency !== currency);
    if (other && others.length === 1) throw new CurrencyDiffers(other.currency, currency);
  }
  return charges.map((charge) => billed(charge, currency));
}

function isCreditNote({ net, currency }: InvoiceRow): boolean {
  return Money.parse(net, currency).minor < 0n;
}

/** A credit note is expected to bring what was agreed in the disputes that name it, line by line, and nothing else. */
async function agreedCredits(on: Executor, invoice: InvoiceRow): Promise<Billed[]> {
  const { warehouseId, currency, number } = invoice;
  let credits = await creditsOfNote(on, [warehouseId, currency, number]);
  if (credits.length === 0) {
    await matchCreditNote(on, [warehouseId, currency, number, Money.parse(invoice.net, currency).negated().toString()]);
    credits = await creditsOfNote(on, [warehouseId, currency, number]);
  }
  const lines: Billed[] = [];
  for (const credit of credits) {
    const agreed = Money.parse(credit.agreed, currency).negated();
    const about = await linesOfDispute(on, [credit.id]);
    if (about.length === 0) lines.push(credited('Accessorial', `Credit ${credit.number}`, agreed));
    const parts =
      about.length === 0 ? [] : agreed.split(about.map((line) => Money.parse(line.disputedAmount, currency).minor));
    about.forEach(({ category, name }, index) => {
      const part = parts[index];
      if (part && part.minor !== 0n) lines.push(credited(category, name, part));
    });
  }
  return lines;
}

function credited(category: string, name: string, amount: Money): Billed {
  return { category, name, quantity: Qty.of(0n), amount };
}

function billed(
  { category, name, quantity, amount }: { category: string; name: string; quantity: string; amount: string },
  currency: string,
): Billed {
  return { category, name, quantity: Qty.parse(quantity), amount: Money.parse(amount, currency) };
}

function decided(row: ReconLineRow, currency: string): DecidedLine {
  return {
    category: row.category,
    name: row.name,
    expectedQty: Qty.parse(row.expectedQty),
    invoicedQty: Qty.parse(row.invoicedQty),
    expectedAmount: Money.parse(row.expectedAmount, currency),
    invoicedAmount: Money.parse(row.invoicedAmount, currency),
    difference: Money.parse(row.difference, currency),
    rateVariance: Money.parse(row.rateVariance, currency),
    qtyVariance: Money.parse(row.qtyVariance, currency),
    result: row.result,
    decision: row.decision,
  };
}

/** The columns of the statement, each an array; a decision that goes on keeps who made it, when and why. */
function columnsOf(lines: readonly DecidedLine[], before: readonly ReconLineRow[]): unknown[] {
  const earlier = new Map(before.map((row) => [lineKey(row.category, row.name), row]));
  const carried = lines.map((line) =>
    line.decision === 'pending' ? undefined : earlier.get(lineKey(line.category, line.name)),
  );
  return [
    lines.map((line) => line.category),
    lines.map((line) => line.name),
    lines.map((line) => line.expectedQty.toString()),
    lines.map((line) => line.invoicedQty.toString()),
    lines.map((line) => line.expectedAmount.toString()),
    lines.map((line) => line.invoicedAmount.toString()),
    lines.map((line) => line.difference.toString()),
    lines.map((line) => line.rateVariance.toString()),
    lines.map((line) => line.qtyVariance.toString()),
    lines.map((line) => line.result),
    lines.map((line) => line.decision),
    carried.map((row) => row?.decidedBy ?? null),
    carried.map((row) => row?.decidedAt ?? null),
    carried.map((row) => row?.note ?? null),
  ];
}
