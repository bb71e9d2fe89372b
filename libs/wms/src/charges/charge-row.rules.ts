import { Rate } from '../money.rules.js';
import type { ChargeRow, SheetRow } from './charge.queries.js';
import type { ChargeCategory, EventCharge, SheetRate } from './charge.rules.js';

export function sheetRate(row: SheetRow): SheetRate {
  const { id, category, name, basis, value, currency, params, from, to } = row;
  return { id, category, name, basis, value: Rate.parse(value, currency), params, from, to };
}

/** What of the document each charge is for. */
export interface ChargedLine {
  readonly lineNo: number;
  readonly skuId: string;
  readonly lotId: string;
}

interface ChargedMovement {
  readonly id: string;
  /** The effective local day. */
  readonly on: string;
  readonly lines: readonly ChargedLine[];
}

/**
 * The rows of what a movement costs, one for each line that bears a part. Their keys say by which rate, or by which basis
 * while nobody knows the rate: the same movement is never charged twice for the same.
 */
export function chargeRows({ id, on, lines }: ChargedMovement, charges: readonly EventCharge[]): ChargeRow[] {
  const lineOf = new Map(lines.map((line) => [line.lineNo, line]));
  return charges.flatMap((charge) =>
    charge.parts
      .filter(({ quantity, amount }) => !quantity.isZero || (amount?.minor ?? 0n) !== 0n)
      .map((part) => ({
        movementId: id,
        skuId: lineOf.get(part.lineNo)?.skuId ?? null,
        lotId: lineOf.get(part.lineNo)?.lotId ?? null,
        category: charge.category,
        name: charge.name,
        rateId: charge.rateId,
        quantity: part.quantity.toString(),
        rate: charge.rate?.toString() ?? null,
        amount: part.amount?.toString() ?? null,
        currency: charge.currency,
        chargeOn: on,
        adjusts: null,
        dedupeKey: `mv:${id}:${charge.rateId ?? charge.basis}:${part.lineNo}`,
        unratedKey: `mv:${id}:${charge.basis}:${part.lineNo}`,
        note: charge.splitBy === 'cartons' && charge.parts.length > 1 ? 'split by cartons' : null,
      })),
  );
}

/** A charge that a movement has already. */
export interface ExistingCharge {
  readonly id: string;
  readonly dedupeKey: string;
  /** Nobody knew its price, and nothing has settled it yet. */
  readonly isOpen: boolean;
  readonly category: ChargeCategory;
  readonly name: string;
  readonly currency: string;
  readonly skuId: string | null;
  readonly lotId: string | null;
}

/**
 * What is still to be charged for a movement: each rate that nothing was charged by yet, whole. A price that has become
 * known settles the charge that waited for it; one that turned out to cost nothing is closed.
 */
export function missingRows(
  movement: ChargedMovement,
  charges: readonly EventCharge[],
  existing: readonly ExistingCharge[],
): ChargeRow[] {
  const chargedBy = (source: string) =>
    existing.some(({ dedupeKey }) => dedupeKey.startsWith(`mv:${movement.id}:${source}:`));
  const open = new Map(existing.filter(({ isOpen }) => isOpen).map((charge) => [charge.dedupeKey, charge]));
  const missing = charges.filter(({ rateId, basis }) => !chargedBy(rateId ?? basis));
  const rows = missing.flatMap((charge) => settling(chargeRows(movement, [charge]), open));
  const waiting = charges.filter(({ rateId }) => rateId === null).map(({ basis }) => `mv:${movement.id}:${basis}:`);
  const settled = [...open.values()].filter(({ dedupeKey }) => !waiting.some((key) => dedupeKey.startsWith(key)));
  return [...rows, ...settled.map((charge) => closed(movement, charge))];
}

/** All parts of a price settle what waited for it, also where the parts were others when it was not known. */
function settling(rows: readonly ChargeRow[], open: Map<string, ExistingCharge>): ChargeRow[] {
  const settled = rows.map(({ unratedKey }) => open.get(unratedKey)?.id);
  const any = settled.find((id) => id !== undefined);
  for (const { unratedKey } of rows) open.delete(unratedKey);
  return rows.map((row, index) => ({ ...row, adjusts: settled[index] ?? any ?? null }));
}

function closed({ id, on }: ChargedMovement, charge: ExistingCharge): ChargeRow {
  return {
    movementId: id,
    skuId: charge.skuId,
    lotId: charge.lotId,
    category: charge.category,
    name: charge.name,
    rateId: null,
    quantity: '0',
    rate: null,
    amount: '0',
    currency: charge.currency,
    chargeOn: on,
    adjusts: charge.id,
    dedupeKey: `settle:${charge.id}`,
    unratedKey: charge.dedupeKey,
    note: null,
  };
}
