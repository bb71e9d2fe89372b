interface LayoutOptions {
  /** Code of the warehouse. */
  readonly warehouse: string;
  /** Only what happened in it, e.g. 2010-12. */
  readonly month?: string | undefined;
}

export type LayoutKind = 'sku_master' | 'warehouse_config' | 'inventory_ledger';

/** Files of somebody else's shape, told as the files that Belay reads: lines of CSV, the header first. */
export type Layout = Readonly<Record<LayoutKind, (path: string, options: LayoutOptions) => AsyncGenerator<string>>>;

export const ledgerHeader = [
  'Timestamp',
  'Transaction_ID',
  'Warehouse',
  'SKU',
  'Shipment',
  'Transaction_Type',
  'Reference_ID',
  'Cartons_In',
  'Cartons_Out',
  'Stock_Status',
  'Counterparty',
];

export const skuHeader = ['SKU', 'Description', 'Units_Per_Carton', 'Lot_Tracked', 'Notes'];

export const stackingHeader = [
  'warehouse',
  'SKU',
  'storage_cartons_per_pallet',
  'shipping_cartons_per_pallet',
  'effective_date',
];
