import { line, page, search, yesOrNo } from '@belay/platform';
import { z } from 'zod';
import { id, rowVersion } from '../production.contract.js';
import { limits } from './limit.contract.js';

const details = { name: line(200), ...limits, active: z.boolean() };

export const draftWorkCenter = z
  .strictObject({
    siteId: id,
    code: line(64),
    name: details.name,
    wipLimit: limits.wipLimit.default(null),
    concurrencyLimit: limits.concurrencyLimit.default(null),
    queueLimit: limits.queueLimit.default(null),
  })
  .meta({ id: 'DraftWorkCenter' });
export type DraftWorkCenter = z.infer<typeof draftWorkCenter>;

export const changeWorkCenter = z.strictObject(details).partial().meta({ id: 'ChangeWorkCenter' });
export type ChangeWorkCenter = z.infer<typeof changeWorkCenter>;

export const workCenterView = z
  .object({ id, siteId: id, code: z.string(), ...details, createdAt: z.iso.datetime(), rowVersion })
  .meta({ id: 'WorkCenter' });
export type WorkCenterView = z.infer<typeof workCenterView>;

export const workCenterFilter = page.extend({
  search: search.describe('Part of a name or code'),
  siteId: id.optional(),
  active: yesOrNo,
});
export type WorkCenterFilter = z.infer<typeof workCenterFilter>;
