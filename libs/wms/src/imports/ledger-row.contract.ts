import { line } from '@belay/platform';
import { z } from 'zod';
import { inboundTypes } from '../charges/charge.rules.js';
import { containerNumber, hasRightCheckDigit } from '../container-number.rules.js';
import { reasonCodes } from '../movements/movement.contract.js';
import { movementKinds, stockStatuses } from '../movements/posting.rules.js';
import { code } from '../wms.contract.js';
import { drafted, ofWarehouse, type RowReader } from './row-reader.rules.js';
import type { RowCells } from './row-cells.rules.js';

const kinds = movementKinds.filter((kind) => kind !== 'REPACK');
const comes: readonly string[] = ['RECEIVE', 'ADJUST_IN', 'OPENING'];
const goes: readonly string[] = ['SHIP', 'ADJUST_OUT'];

/** What is kept of a row of the inventory ledger. Codes are as they were written. */
export const ledgerFacts = z.object({
  kind: z.enum(kinds),
  transaction: line(120),
  sku: line(64),
  lot: code.nullable(),
  location: line(64),
  status: z.enum(stockStatuses),
  /** 1 for what comes, -1 for what goes. */
  sign: z.union([z.literal(1), z.literal(-1)]),
  cartons: z.int(),
  loose: z.int(),
  reference: line(120).nullable(),
  pallets: z.int().nullable(),
  reason: z.enum(reasonCodes).nullable(),
  counterparty: line(120).nullable(),
  container: z.string().nullable(),
  inboundType: z.enum(inboundTypes).nullable(),
  shipMode: z.enum(['PALLETS', 'CARTONS']).nullable(),
  reverses: line(120).nullable(),
  note: z.string().max(2_000).nullable(),
  upc: z.int().nullable(),
  storage: z.int().nullable(),
  shipping: z.int().nullable(),
  expiresOn: z.string().nullable(),
});
export type LedgerFacts = z.infer<typeof ledgerFacts>;

const columnOf = {
  transaction: 'Transaction_ID',
  sku: 'SKU',
  lot: 'Shipment',
  location: 'Location',
  reference: 'Reference_ID',
  counterparty: 'Counterparty',
  reverses: 'Reverses',
  note: 'Notes',
};

/** A line of a movement; a movement is made of all rows of its Transaction_ID. */
export const ledgerRows: RowReader = {
  columns: [
    { name: 'Timestamp', required: true },
    { name: 'Transaction_ID', required: true },
    { name: 'Warehouse', required: true },
    { name: 'SKU', required: true },
    { name: 'Shipment', also: ['lot', 'batch'], required: true },
    { name: 'Transaction_Type', required: true },
    { name: 'Reference_ID', also: ['Reference_ID (Email tag)', 'Reference'], required: true },
    { name: 'Cartons_In', required: true },
    { name: 'Cartons_Out', required: true },
    { name: 'storage_pallets_in' },
    { name: 'shipping_pallets_out' },
    { name: 'Notes' },
    { name: 'Units_In' },
    { name: 'Units_Out' },
    { name: 'Location' },
    { name: 'Stock_Status' },
    { name: 'Reason_Code' },
    { name: 'Counterparty', also: ['vendor', 'customer'] },
    { name: 'Container_Number' },
    { name: 'Inbound_Type' },
    { name: 'Ship_Mode' },
    { name: 'Reverses' },
    { name: 'Units_Per_Carton' },
    { name: 'storage_cartons_per_pallet' },
    { name: 'shipping_cartons_per_pallet' },
    { name: 'Expires_On' },
  ],

  read(cells, around) {
    const time = cells.time('Timestamp');
    const transaction = cells.required('Transaction_ID');
    ofWarehouse(cells, 'Warehouse', around);
    const kind = cells.required('Transaction_Type') === undefined ? undefined : cells.oneOf('Transaction_Type', kinds);
    const lot = cells.text('Shipment');
    const facts = {
      kind,
      transaction,
      sku: cells.required('SKU'),
      lot: lot === '-' ? null : (lot ?? null),
      location: cells.text('Location') ?? 'DEFAULT',
      status: cells.oneOf('Stock_Status', stockStatuses) ?? 'available',
      ...quantityOf(cells, kind),
      reference: cells.text('Reference_ID') ?? null,
      reason: cells.oneOf('Reason_Code', reasonCodes) ?? null,
      counterparty: cells.text('Counterparty') ?? null,
      container: containerOf(cells),
      inboundType: cells.oneOf('Inbound_Type', inboundTypes) ?? null,
      shipMode: cells.oneOf('Ship_Mode', ['PALLETS', 'CARTONS'] as const) ?? null,
      reverses: cells.text('Reverses') ?? null,
      note: cells.text('Notes') ?? null,
      upc: cells.count('Units_Per_Carton') ?? null,
      storage: cells.count('storage_cartons_per_pallet') ?? null,
      shipping: cells.count('shipping_cartons_per_pallet') ?? null,
      expiresOn: cells.day('Expires_On') ?? null,
    };
    if (kind) checkKind(cells, kind, facts);
    const read = drafted(cells, ledgerFacts, facts, columnOf) ?? null;
    return { document: transaction ?? '', time, facts: read, issues: cells.issues };
  },
};

type Kind = LedgerFacts['kind'];

/** Cartons and single pieces, either in or out. */
function quantityOf(cells: RowCells, kind: Kind | undefined) {
  const cartonsIn = cells.whole('Cartons_In') ?? 0;
  const cartonsOut = cells.whole('Cartons_Out') ?? 0;
  const unitsIn = cells.whole('Units_In') ?? 0;
  const unitsOut = cells.whole('Units_Out') ?? 0;
  const palletsIn = cells.whole('storage_pallets_in') ?? null;
  const palletsOut = cells.whole('shipping_pallets_out') ?? null;
  const [isIn, isOut] = [cartonsIn + unitsIn > 0, cartonsOut + unitsOut > 0];
  if (isIn && isOut) cells.error('Cartons_Out', 'both-ways', 'must be empty on a row on which goods come in');
  if (!isIn && !isOut && !cells.hasErrors)
    cells.error('Cartons_In', 'nothing-moved', 'must be given, or Cartons_Out: nothing moves');
  if (kind && isOut && comes.includes(kind))
    cells.error('Cartons_Out', 'wrong-way', `must be empty: goods come in by ${kind}`);
  if (kind && isIn && goes.includes(kind))
    cells.error('Cartons_In', 'wrong-way', `must be empty: goods go out by ${kind}`);
  return isOut
    ? { sign: -1, cartons: cartonsOut, loose: unitsOut, pallets: palletsOut }
    : { sign: 1, cartons: cartonsIn, loose: unitsIn, pallets: palletsIn };
}

function containerOf(cells: RowCells): string | null {
  const number = cells.text('Container_Number')?.toUpperCase();
  if (number === undefined) return null;
  if (!containerNumber.test(number)) {
    cells.error('Container_Number', 'not-valid', 'must be 4 letters and 7 digits');
  } else if (!hasRightCheckDigit(number)) {
    cells.warn('Container_Number', 'container-check-digit', `The last digit of ${number} does not fit the others`);
  }
  return number;
}

function checkKind(cells: RowCells, kind: Kind, { status, reason }: { status: string; reason: string | null }): void {
  if (kind === 'RECEIVE' || kind === 'SHIP') cells.required('Reference_ID');
  if ((kind === 'ADJUST_IN' || kind === 'ADJUST_OUT') && reason === null && cells.text('Reason_Code') === undefined) {
    cells.error('Reason_Code', 'empty', `must be one of ${reasonCodes.join(', ')}`);
  }
  if (kind === 'REVERSAL') cells.required('Reverses');
  if (kind === 'SHIP' && status !== 'available') {
    cells.error('Stock_Status', 'not-shipped', 'must be available: nothing else is shipped');
  }
  if (kind === 'RECEIVE' && status === 'damaged') {
    cells.error('Stock_Status', 'not-received', 'must be available or quarantine: goods that come in are nothing else');
  }
}
