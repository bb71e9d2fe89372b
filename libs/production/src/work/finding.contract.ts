import { listOf, page, yesOrNo } from '@belay/platform';
import { z } from 'zod';
import { id, rowVersion } from '../production.contract.js';

export const findingView = z
  .object({
    id,
    kind: z.string().describe('What is not as it should be'),
    subjectType: z.string(),
    subjectId: id,
    detail: z.record(z.string(), z.json()),
    firstSeenAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
    resolvedAt: z.iso.datetime().nullable(),
    repairable: z.boolean().describe('Whether it can be repaired without anybody deciding anything'),
    rowVersion,
  })
  .meta({ id: 'Finding' });
export type FindingView = z.infer<typeof findingView>;
export const findingList = listOf(findingView);

export const findingFilter = page.extend({
  kind: z.string().max(60).optional(),
  subjectType: z.string().max(30).optional(),
  subjectId: id.optional(),
  open: yesOrNo.describe('true: only those that are not resolved'),
});
export type FindingFilter = z.infer<typeof findingFilter>;
