import { currencyScale, Money, NotExact, Qty, rounded } from '../money.rules.js';

interface BilledLine {
  readonly category: string;
  readonly name: string;
  readonly quantity: string;
  readonly unitRate: string | null;
  readonly amount: string;
}

/** What an invoice says, apart from whose it is. */
export interface InvoiceContent {
  readonly number: string;
  readonly periodStart: string;
  readonly periodEnd: string;
  readonly issuedOn: string;
  readonly dueOn: string | null;
  readonly currency: string;
  readonly net: string;
  readonly tax: string;
  readonly total: string;
  readonly lines: readonly BilledLine[];
}

interface Fault {
  readonly pointer: string;
  readonly detail: string;
}

const LONGEST_PERIOD_DAYS = 366;
const LONGEST_TERMS_DAYS = 90;

/** Everything that keeps an invoice from being taken in, at once. */
export function faultsOf(invoice: InvoiceContent): Fault[] {
  const inexact = amountsOf(invoice).filter(({ text }) => !isExact(text, invoice.currency));
  if (inexact.length > 0) {
    const detail = `has more decimals than ${invoice.currency} has (${currencyScale(invoice.currency)})`;
    return [...dateFaults(invoice), ...inexact.map(({ pointer }) => ({ pointer, detail }))];
  }
  return [...dateFaults(invoice), ...sumFaults(invoice), ...invoice.lines.flatMap(creditFaults)];
}

interface InvoiceWarning {
  readonly code: 'early-invoice' | 'long-terms';
  readonly detail: string;
}

/** What is unusual about it, and yet no reason to refuse it. */
export function warningsOf({ periodEnd, issuedOn, dueOn }: Pick<InvoiceContent, 'periodEnd' | 'issuedOn' | 'dueOn'>) {
  const warnings: InvoiceWarning[] = [];
  if (issuedOn < periodEnd) {
    warnings.push({ code: 'early-invoice', detail: `It was issued on ${issuedOn}, before its period ended.` });
  }
  const terms = dueOn === null ? 0 : daysBetween(issuedOn, dueOn);
  if (terms > LONGEST_TERMS_DAYS)
    warnings.push({ code: 'long-terms', detail: `It is due ${terms} days after its issue.` });
  return warnings;
}

/** Two invoices that say the same have the same text, however their numbers are written. */
export function contentOf(invoice: InvoiceContent): string {
  const money = (text: string) => Money.parse(text, invoice.currency);
  return JSON.stringify([
    invoice.number.toUpperCase(),
    invoice.periodStart,
    invoice.periodEnd,
    invoice.issuedOn,
    invoice.dueOn,
    invoice.currency,
    money(invoice.net),
    money(invoice.tax),
    money(invoice.total),
    invoice.lines.map(({ category, name, quantity, unitRate, amount }) => [
      category,
      name,
      Qty.parse(quantity),
      unitRate === null ? null : plain(unitRate),
      money(amount),
    ]),
  ]);
}

/** The accepted net amount with its part of the tax. */
export function payableOf(accepted: Money, { net, tax, total }: { net: Money; tax: Money; total: Money }): Money {
  if (accepted.compare(net) === 0) return total;
  if (net.minor === 0n) return accepted;
  const sign = net.minor < 0n ? -1n : 1n;
  return accepted.plus(Money.ofMinor(rounded(sign * tax.minor * accepted.minor, sign * net.minor), net.currency));
}

function dateFaults({ periodStart, periodEnd, issuedOn, dueOn }: InvoiceContent): Fault[] {
  const faults: Fault[] = [];
  if (periodEnd <= periodStart)
    faults.push({ pointer: '#/periodEnd', detail: 'must be after the start of the period' });
  else if (daysBetween(periodStart, periodEnd) > LONGEST_PERIOD_DAYS) {
    faults.push({ pointer: '#/periodEnd', detail: `must be at most ${LONGEST_PERIOD_DAYS} days after the start` });
  }
  if (dueOn !== null && dueOn < issuedOn) faults.push({ pointer: '#/dueOn', detail: 'must not be before the issue' });
  return faults;
}

function sumFaults({ currency, net, tax, total, lines }: InvoiceContent): Fault[] {
  const money = (text: string) => Money.parse(text, currency);
  const faults: Fault[] = [];
  const sum = Money.sum(
    lines.map((line) => money(line.amount)),
    currency,
  );
  if (sum.compare(money(net)) !== 0)
    faults.push({ pointer: '#/net', detail: `must be the sum of the lines, ${sum.toString()}` });
  const gross = money(net).plus(money(tax));
  if (gross.compare(money(total)) !== 0) {
    faults.push({ pointer: '#/total', detail: `must be net and tax together, ${gross.toString()}` });
  }
  return faults;
}

/** Only a credit has negative numbers. */
function creditFaults({ quantity, unitRate, amount }: BilledLine, index: number): Fault[] {
  if (isNegative(amount)) return [];
  const detail = 'is negative, and the line is no credit';
  const faults: Fault[] = [];
  if (isNegative(quantity)) faults.push({ pointer: `#/lines/${index}/quantity`, detail });
  if (unitRate !== null && isNegative(unitRate)) faults.push({ pointer: `#/lines/${index}/unitRate`, detail });
  return faults;
}

function amountsOf({ net, tax, total, lines }: InvoiceContent): { pointer: string; text: string }[] {
  return [
    { pointer: '#/net', text: net },
    { pointer: '#/tax', text: tax },
    { pointer: '#/total', text: total },
    ...lines.map(({ amount }, index) => ({ pointer: `#/lines/${index}/amount`, text: amount })),
  ];
}

function isExact(text: string, currency: string): boolean {
  try {
    Money.parse(text, currency);
    return true;
  } catch (error) {
    if (error instanceof NotExact) return false;
    throw error;
  }
}

function isNegative(text: string): boolean {
  return text.startsWith('-') && /[1-9]/.test(text);
}

/** Without zeros that say nothing. */
function plain(text: string): string {
  return text
    .replace(/^(-?)0+(?=\d)/, '$1')
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 86_400_000;
}
