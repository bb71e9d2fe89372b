import { z } from 'zod';
import { id, rowVersion } from '../production.contract.js';
import { limit } from './graph.contract.js';

export const limits = { wipLimit: limit, concurrencyLimit: limit, queueLimit: limit };

export const setLimits = z.strictObject(limits).meta({ id: 'SetNodeLimits' });
export type SetLimits = z.infer<typeof setLimits>;

export const limitView = z
  .object({
    graphId: id,
    nodeCode: z.string(),
    ...limits,
    source: z.enum(['design', 'manual']).describe('design: the next version may change them'),
    rowVersion,
  })
  .meta({ id: 'NodeLimits' });
export type LimitView = z.infer<typeof limitView>;

export const nodeLimits = z.object({ items: z.array(limitView) }).meta({ id: 'NodeLimitsOfGraph' });
export type NodeLimits = z.infer<typeof nodeLimits>;
