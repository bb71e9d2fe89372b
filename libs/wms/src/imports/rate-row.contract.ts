import { chargeCategories } from '../charges/charge.rules.js';
import { draftRate } from '../rates/rate.contract.js';
import { usableBases, type UsableBasis } from '../rates/rate.rules.js';
import { drafted, ofWarehouse, type RowReader } from './row-reader.rules.js';

const columnOf = {
  category: 'cost_category',
  name: 'cost_name',
  value: 'cost_value',
  basis: 'basis',
  currency: 'currency',
  unitLabel: 'unit_of_measure',
  effectiveFrom: 'effective_date',
  effectiveTo: 'end_date',
  notes: 'notes',
};

/** Units that can mean only one thing; whatever else is charged by says so in the column basis. */
const basisOfUnit: Readonly<Record<string, UsableBasis>> = {
  'pallet/week': 'pallet_week',
  'pallet week': 'pallet_week',
  'pallet per week': 'pallet_week',
  container: 'per_container',
  shipment: 'per_shipment',
  unit: 'per_unit',
};

/** A price of the cost master. */
export const rateRows: RowReader = {
  columns: [
    { name: 'warehouse', required: true },
    { name: 'cost_category', required: true },
    { name: 'cost_name', required: true },
    { name: 'cost_value', required: true },
    { name: 'unit_of_measure', required: true },
    { name: 'effective_date', required: true },
    { name: 'end_date' },
    { name: 'notes' },
    { name: 'basis' },
    { name: 'currency' },
    { name: 'inbound_type' },
  ],

  read(cells, around) {
    ofWarehouse(cells, 'warehouse', around);
    const name = cells.required('cost_name');
    const unit = cells.required('unit_of_measure');
    for (const column of ['cost_category', 'cost_value', 'effective_date']) cells.required(column);
    const said = cells.oneOf('basis', usableBases);
    const basis =
      said ??
      basisOfUnit[
        (unit ?? '')
          .toLowerCase()
          .replaceAll(/\s*\/\s*/g, '/')
          .replace(/^per\s+/, '')
      ];
    if (basis === undefined && unit !== undefined && cells.text('basis') === undefined) {
      cells.error(
        'unit_of_measure',
        'not-known',
        `does not say what is counted: add a column basis (${usableBases.join(', ')})`,
      );
    }
    const inboundType = cells.text('inbound_type');
    const given = {
      warehouse: around.warehouse?.id,
      category: cells.oneOf('cost_category', chargeCategories),
      name,
      basis,
      value: cells.decimal('cost_value'),
      currency: cells.text('currency') ?? around.warehouse?.currency,
      unitLabel: unit,
      params: inboundType === undefined ? {} : { inboundType },
      effectiveFrom: cells.day('effective_date'),
      effectiveTo: cells.day('end_date'),
      notes: cells.text('notes'),
    };
    const facts = drafted(cells, draftRate, given, { ...columnOf, params: 'inbound_type' }) ?? null;
    return { document: `${(name ?? '').toLowerCase()} ${given.effectiveFrom ?? ''}`, facts, issues: cells.issues };
  },
};
