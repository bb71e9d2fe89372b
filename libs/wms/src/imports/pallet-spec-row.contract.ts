import { draftPalletSpec } from '../goods/pallet-spec.contract.js';
import { drafted, ofWarehouse, type RowReader } from './row-reader.rules.js';

const columnOf = {
  sku: 'SKU',
  storageCartonsPerPallet: 'storage_cartons_per_pallet',
  shippingCartonsPerPallet: 'shipping_cartons_per_pallet',
  maxStackHeightMm: 'max_stacking_height_cm',
  effectiveFrom: 'effective_date',
  effectiveTo: 'end_date',
  notes: 'notes',
};

/** How a SKU is stacked in the warehouse. */
export const palletSpecRows: RowReader = {
  columns: [
    { name: 'warehouse', required: true },
    { name: 'SKU', required: true },
    { name: 'storage_cartons_per_pallet', required: true },
    { name: 'shipping_cartons_per_pallet', required: true },
    { name: 'max_stacking_height_cm' },
    { name: 'effective_date', required: true },
    { name: 'end_date' },
    { name: 'notes' },
  ],

  read(cells, around) {
    ofWarehouse(cells, 'warehouse', around);
    const sku = cells.required('SKU');
    for (const column of ['storage_cartons_per_pallet', 'shipping_cartons_per_pallet', 'effective_date']) {
      cells.required(column);
    }
    const given = {
      warehouse: around.warehouse?.id,
      sku,
      storageCartonsPerPallet: cells.count('storage_cartons_per_pallet'),
      shippingCartonsPerPallet: cells.count('shipping_cartons_per_pallet'),
      maxStackHeightMm: cells.scaled('max_stacking_height_cm', 1),
      effectiveFrom: cells.day('effective_date'),
      effectiveTo: cells.day('end_date'),
      notes: cells.text('notes'),
    };
    const facts = drafted(cells, draftPalletSpec, given, columnOf) ?? null;
    return { document: `${(sku ?? '').toUpperCase()} ${given.effectiveFrom ?? ''}`, facts, issues: cells.issues };
  },
};
