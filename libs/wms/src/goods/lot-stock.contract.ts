import { page } from '@belay/platform';
import { z } from 'zod';
import { count, day, id, idOrCode, rowVersion } from '../wms.contract.js';

const stacking = z.object({
  validFrom: day.nullable().describe('Null: from its first receipt on'),
  storageCartonsPerPallet: count,
  shippingCartonsPerPallet: count,
});

export const changeLotStock = z
  .strictObject({
    validFrom: day.describe('From this day on; what was before stays, and so do the weeks billed by it'),
    storageCartonsPerPallet: count.optional(),
    shippingCartonsPerPallet: count.optional(),
  })
  .refine(
    ({ storageCartonsPerPallet, shippingCartonsPerPallet }) =>
      storageCartonsPerPallet !== undefined || shippingCartonsPerPallet !== undefined,
    'must change something',
  )
  .meta({ id: 'ChangeLotStock' });
export type ChangeLotStock = z.infer<typeof changeLotStock>;

export const lotStockView = z
  .object({
    warehouseId: id,
    lotId: id,
    sku: z.string().describe("The SKU's code"),
    lot: z.string().describe("The lot's code"),
    firstReceivedAt: z.iso.datetime({ offset: true }),
    stacking: z.array(stacking).describe('By day; each holds until the next'),
    rowVersion,
  })
  .meta({ id: 'LotStock', description: 'How a lot is stacked on pallets in a warehouse' });
export type LotStockView = z.infer<typeof lotStockView>;

export const lotStockFilter = page.extend({
  warehouse: idOrCode.optional(),
  sku: idOrCode.optional(),
  lot: id.optional(),
});
export type LotStockFilter = z.infer<typeof lotStockFilter>;
