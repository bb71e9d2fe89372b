import { Money, Qty, Rate } from '../money.rules.js';
import type { StorageLine } from './storage.contract.js';
import type { StorageLineRow } from './storage-ledger.queries.js';

export function storageLineView(row: StorageLineRow): StorageLine {
  const pallets = row.pallets === null ? null : Qty.parse(row.pallets).toString();
  const rate = row.rate === null ? null : Rate.parse(row.rate, row.currency).toString();
  const amount = row.amount === null ? null : Money.parse(row.amount, row.currency).toString();
  return {
    ...row,
    units: Number(row.units),
    cartons: Number(row.cartons),
    pallets,
    rate,
    amount,
    explanation: explain({ ...row, pallets, rate, amount }),
    computedAt: row.computedAt.toISOString(),
  };
}

type Inputs = Pick<
  StorageLineRow,
  | 'units'
  | 'unitsPerCarton'
  | 'cartons'
  | 'cartonsPerPallet'
  | 'cartonsPerPalletFrom'
  | 'pallets'
  | 'rate'
  | 'rateName'
  | 'amount'
  | 'currency'
  | 'snapshotOn'
>;

const sources = {
  lot: 'as the lot was received',
  spec: 'by the specification of the SKU',
  manual: 'set by hand',
} as const;

/** The way from the stock to the amount, step by step, as far as it is known. */
function explain(line: Inputs): string {
  if (line.units === '0') return `Nothing was in stock at the end of ${line.snapshotOn}.`;
  const stock = `${line.units} units at the end of ${line.snapshotOn}, ${line.unitsPerCarton} to a carton: ${line.cartons} cartons`;
  if (line.cartonsPerPallet === null || line.cartonsPerPalletFrom === null) {
    return `${stock}. Nobody said how many cartons are stored on a pallet.`;
  }
  const source = sources[line.cartonsPerPalletFrom];
  const stacked = `${stock}; ${line.cartonsPerPallet} to a pallet, ${source}: ${line.pallets ?? '?'} pallets`;
  if (line.rate === null || line.amount === null) return `${stacked}. No storage rate is valid on that day.`;
  return `${stacked}; at ${line.rate} ${line.currency} (${line.rateName ?? 'storage'}): ${line.amount} ${line.currency}.`;
}
