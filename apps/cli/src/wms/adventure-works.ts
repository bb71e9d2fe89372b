import { join } from 'node:path';
import { lineOf, recordsOf } from './csv-text.js';
import { ledgerHeader, skuHeader, stackingHeader, type Layout } from './layout.js';

const cartonsPerPallet = 100;
const firstDay = '2011-01-01';

/**
 * What a maker of bicycles bought (AdventureWorks): a receipt for each purchase order on the day it was shipped, what was
 * rejected into quarantine. A piece is a carton of one.
 */
export const adventureWorks: Layout = {
  async *sku_master(folder) {
    yield lineOf(skuHeader);
    for await (const { ProductNumber, Name } of recordsOf(join(folder, 'production_product.csv'))) {
      yield lineOf([ProductNumber, Name, 1, 'no', '']);
    }
  },

  async *warehouse_config(folder, { warehouse }) {
    yield lineOf(stackingHeader);
    for await (const { ProductNumber } of recordsOf(join(folder, 'production_product.csv'))) {
      yield lineOf([warehouse, ProductNumber, cartonsPerPallet, cartonsPerPallet, firstDay]);
    }
  },

  async *inventory_ledger(folder, { warehouse, month = '' }) {
    yield lineOf(ledgerHeader);
    const products = await columnBy(join(folder, 'production_product.csv'), 'ProductID', 'ProductNumber');
    const vendors = await columnBy(join(folder, 'purchasing_vendor.csv'), 'BusinessEntityID', 'Name');
    const header = join(folder, 'purchasing_purchaseorderheader.csv');
    const vendorOf = await columnBy(header, 'PurchaseOrderID', 'VendorID');
    const shippedAt = await columnBy(header, 'PurchaseOrderID', 'ShipDate');
    for await (const row of recordsOf(join(folder, 'purchasing_purchaseorderdetail.csv'))) {
      const { PurchaseOrderID: order = '', ProductID = '', StockedQty = '', RejectedQty = '' } = row;
      const at = shippedAt.get(order) ?? '';
      if (!at.startsWith(month)) continue;
      const vendor = vendors.get(vendorOf.get(order) ?? '');
      for (const [quantity, status] of [
        [StockedQty, 'available'],
        [RejectedQty, 'quarantine'],
      ] as const) {
        if (!/[1-9]/.test(quantity)) continue;
        const goods = products.get(ProductID);
        yield lineOf([at, `PO-${order}`, warehouse, goods, '', 'RECEIVE', `PO-${order}`, quantity, '', status, vendor]);
      }
    }
  },
};

async function columnBy(path: string, key: string, column: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const row of recordsOf(path)) found.set(row[key] ?? '', row[column] ?? '');
  return found;
}
