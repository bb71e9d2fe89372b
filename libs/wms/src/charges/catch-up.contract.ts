import { jobType } from '@belay/platform';
import { z } from 'zod';

/** Prices what was moved and has no price yet, in the periods of the warehouse that are open. */
export const priceMovements = jobType({
  domain: 'wms',
  name: 'price-movements',
  payload: z.object({ warehouseId: z.uuid(), which: z.enum(['all', 'in want']).default('all') }),
  feature: 'wms_finance',
});

/** Runs the storage of the warehouse that is due or was put in doubt. */
export const settleStorage = jobType({
  domain: 'wms',
  name: 'settle-storage',
  payload: z.object({ warehouseId: z.uuid() }),
  feature: 'wms_finance',
});
