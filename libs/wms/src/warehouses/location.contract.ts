import { page, search, yesOrNo } from '@belay/platform';
import { z } from 'zod';
import { code, id, idOrCode, rowVersion, someUnits } from '../wms.contract.js';

const locationTypes = ['zone', 'aisle', 'rack', 'bin', 'dock', 'staging', 'quarantine', 'virtual'] as const;
export type LocationType = (typeof locationTypes)[number];

const details = {
  code,
  type: z.enum(locationTypes),
  isPickable: z.boolean().describe('Never at a dock, in staging or in a virtual place'),
  pickPriority: z.int().min(0).max(1_000_000).describe('The least is picked from first'),
  capacityUnits: someUnits.nullable(),
};
const parent = idOrCode.nullable().describe('The location it is part of, in the same warehouse');

export const draftLocation = z
  .strictObject({
    ...details,
    warehouse: idOrCode,
    parent: parent.default(null),
    isPickable: details.isPickable.optional().describe('Unless said, where goods can be picked at all'),
    pickPriority: details.pickPriority.default(100),
    capacityUnits: details.capacityUnits.default(null),
  })
  .meta({ id: 'DraftLocation' });
export type DraftLocation = z.infer<typeof draftLocation>;

export const changeLocation = z
  .strictObject({ ...details, parent, isActive: z.boolean() })
  .partial()
  .meta({ id: 'ChangeLocation' });
export type ChangeLocation = z.infer<typeof changeLocation>;

export const locationView = z
  .object({
    id,
    warehouseId: id,
    parentId: id.nullable(),
    ...details,
    isActive: z.boolean(),
    createdAt: z.iso.datetime(),
    rowVersion,
  })
  .meta({ id: 'Location' });
export type LocationView = z.infer<typeof locationView>;

export const locationFilter = page.extend({
  warehouse: idOrCode.optional(),
  parent: id.optional(),
  type: z.enum(locationTypes).optional(),
  search: search.describe('Part of a code'),
  active: yesOrNo,
});
export type LocationFilter = z.infer<typeof locationFilter>;
