import { draftSku } from '../goods/sku.contract.js';
import { drafted, type RowReader } from './row-reader.rules.js';

const columnOf = {
  code: 'SKU',
  asin: 'ASIN',
  description: 'Description',
  packSize: 'Pack_Size',
  material: 'Material',
  unitLengthMm: 'Unit_Dimensions_cm',
  unitWidthMm: 'Unit_Dimensions_cm',
  unitHeightMm: 'Unit_Dimensions_cm',
  unitWeightG: 'Unit_Weight_KG',
  defaultUnitsPerCarton: 'Units_Per_Carton',
  defaultCartonLengthMm: 'Carton_Dimensions_cm',
  defaultCartonWidthMm: 'Carton_Dimensions_cm',
  defaultCartonHeightMm: 'Carton_Dimensions_cm',
  defaultCartonWeightG: 'Carton_Weight_KG',
  packagingType: 'Packaging_Type',
  notes: 'Notes',
  gtin: 'GTIN',
  lotTracked: 'Lot_Tracked',
  expiryTracked: 'Expiry_Tracked',
};

/** A SKU of the sku master. */
export const skuRows: RowReader = {
  columns: [
    { name: 'SKU', required: true },
    { name: 'ASIN' },
    { name: 'Description', required: true },
    { name: 'Pack_Size' },
    { name: 'Material' },
    { name: 'Unit_Dimensions_cm' },
    { name: 'Unit_Weight_KG' },
    { name: 'Units_Per_Carton', required: true },
    { name: 'Carton_Dimensions_cm' },
    { name: 'Carton_Weight_KG' },
    { name: 'Packaging_Type' },
    { name: 'Notes' },
    { name: 'GTIN' },
    { name: 'Lot_Tracked' },
    { name: 'Expiry_Tracked' },
  ],

  read(cells) {
    const code = cells.required('SKU');
    const [unitLengthMm, unitWidthMm, unitHeightMm] = cells.sizes('Unit_Dimensions_cm') ?? [];
    const [defaultCartonLengthMm, defaultCartonWidthMm, defaultCartonHeightMm] =
      cells.sizes('Carton_Dimensions_cm') ?? [];
    cells.required('Units_Per_Carton');
    const given = {
      code,
      description: cells.required('Description'),
      asin: cells.text('ASIN'),
      gtin: cells.text('GTIN'),
      packSize: cells.count('Pack_Size'),
      material: cells.text('Material'),
      unitLengthMm,
      unitWidthMm,
      unitHeightMm,
      unitWeightG: cells.scaled('Unit_Weight_KG', 3),
      defaultUnitsPerCarton: cells.count('Units_Per_Carton'),
      defaultCartonLengthMm,
      defaultCartonWidthMm,
      defaultCartonHeightMm,
      defaultCartonWeightG: cells.scaled('Carton_Weight_KG', 3),
      packagingType: cells.text('Packaging_Type'),
      notes: cells.text('Notes'),
      lotTracked: cells.yesOrNo('Lot_Tracked'),
      expiryTracked: cells.yesOrNo('Expiry_Tracked'),
    };
    const facts = drafted(cells, draftSku, given, columnOf) ?? null;
    return { document: (code ?? '').toUpperCase(), facts, issues: cells.issues };
  },
};
