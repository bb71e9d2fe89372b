import { page } from '@belay/platform';
import { z } from 'zod';
import { adjustment } from '../movements/movement.contract.js';
import { id, idOrCode, rowVersion, someUnits } from '../wms.contract.js';

const statuses = ['open', 'approved', 'rejected'] as const;
export type ProposalStatus = (typeof statuses)[number];

export const proposalView = z
  .object({
    id,
    warehouse: z.string(),
    warehouseId: id,
    status: z.enum(statuses),
    // Without the name of the request's, which is another schema: what may be left out there is filled in here.
    adjustment: z.object(adjustment.shape),
    units: someUnits.describe('What is added or taken, over all lines'),
    createdBy: id,
    createdAt: z.iso.datetime(),
    decidedBy: id.nullable(),
    decidedAt: z.iso.datetime().nullable(),
    movementId: id.nullable().describe('What it became, once it was approved'),
    rowVersion,
  })
  .meta({ id: 'AdjustmentProposal' });
export type ProposalView = z.infer<typeof proposalView>;

export const proposalFilter = page.extend({
  warehouse: idOrCode.optional(),
  status: z.enum(statuses).optional(),
});
export type ProposalFilter = z.infer<typeof proposalFilter>;
