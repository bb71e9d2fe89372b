import { lineOf, recordsOf } from './csv-text.js';
import { ledgerHeader, skuHeader, stackingHeader, type Layout } from './layout.js';

/** Nobody knows how a shop stacks candles; the figure only has to be there. */
const cartonsPerPallet = 1_000;
const firstDay = '2010-12-01';

/**
 * The sales lines of a shop (UCI Online Retail): shipments to its customers, and what they brought back. A piece is a carton
 * of one; a stock code is the same whatever its case; an invoice happened when its first line did.
 */
export const onlineRetail: Layout = {
  async *sku_master(path) {
    yield lineOf(skuHeader);
    for (const [code, description] of await goodsOf(path)) yield lineOf([code, description, 1, 'no', '']);
  },

  async *warehouse_config(path, { warehouse }) {
    yield lineOf(stackingHeader);
    for (const code of (await goodsOf(path)).keys()) {
      yield lineOf([warehouse, code, cartonsPerPallet, cartonsPerPallet, firstDay]);
    }
  },

  async *inventory_ledger(path, { warehouse, month = '' }) {
    yield lineOf(ledgerHeader);
    const invoicedAt = new Map<string, string>();
    for await (const row of recordsOf(path)) {
      const { InvoiceNo = '', StockCode = '', Quantity = '', InvoiceDate = '', CustomerID = '' } = row;
      if (!InvoiceDate.startsWith(month)) continue;
      const at = invoicedAt.get(InvoiceNo) ?? InvoiceDate;
      invoicedAt.set(InvoiceNo, at);
      const isReturn = Quantity.startsWith('-');
      const [kind, back, out] = isReturn ? ['RECEIVE', Quantity.slice(1), ''] : ['SHIP', '', Quantity];
      const customer = CustomerID.replace(/\.0$/, '');
      yield lineOf([at, InvoiceNo, warehouse, StockCode, '', kind, InvoiceNo, back, out, '', customer]);
    }
  },
};

/** Every stock code as it was first written, with a description when one was ever given. */
async function goodsOf(path: string): Promise<Map<string, string>> {
  const found = new Map<string, { readonly code: string; readonly description: string }>();
  for await (const { StockCode = '', Description = '' } of recordsOf(path)) {
    const key = StockCode.toUpperCase();
    const { code = StockCode, description = '' } = found.get(key) ?? {};
    if (description === '') found.set(key, { code, description: Description.trim() });
  }
  return new Map([...found.values()].map(({ code, description }) => [code, description === '' ? code : description]));
}
