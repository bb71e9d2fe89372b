import { page } from '@belay/platform';
import { z } from 'zod';
import { stockStatuses } from '../movements/posting.rules.js';
import { id, idOrCode, rowVersion, units } from '../wms.contract.js';

const statuses = ['draft', 'counted', 'posted', 'cancelled'] as const;
export type CountStatus = (typeof statuses)[number];

/** As many as one movement has. */
export const MOST_LINES = 500;
const note = z.string().trim().min(1).max(2_000);

export const draftCount = z
  .strictObject({
    warehouse: idOrCode,
    locations: z.array(idOrCode).min(1).max(200).optional().describe('Only there'),
    skus: z.array(idOrCode).min(1).max(200).optional().describe('Only these'),
    note: note.optional(),
  })
  .meta({ id: 'DraftCount' });
export type DraftCount = z.infer<typeof draftCount>;

const foundLine = z.strictObject({
  sku: idOrCode.optional(),
  lot: idOrCode.optional().describe('Not for SKUs without lots'),
  location: idOrCode.optional().describe('DEFAULT unless said'),
  stockStatus: z.enum(stockStatuses).default('available'),
  cartons: z.int().min(0).default(0).describe('Full ones'),
  looseUnits: z.int().min(0).default(0),
  note: note.optional(),
});

export const countedLines = z
  .strictObject({
    lines: z
      .array(foundLine)
      .min(1)
      .max(MOST_LINES)
      .describe('What was found; goods nobody expected become lines of their own'),
  })
  .meta({ id: 'CountedLines' });
export type CountedLines = z.infer<typeof countedLines>;

export const postCount = z
  .strictObject({
    skipUncounted: z.boolean().default(false).describe('Leaves lines as they are that nobody counted'),
  })
  .meta({ id: 'PostCount' })
  .prefault({});
export type PostCount = z.infer<typeof postCount>;

const countLine = z.object({
  sku: z.string(),
  skuId: id,
  lot: z.string(),
  lotId: id,
  location: z.string(),
  locationId: id,
  stockStatus: z.enum(stockStatuses),
  expectedUnits: units.describe('When the line was opened'),
  movedUnits: z.int().describe('What was posted in the bucket since, until the count itself'),
  countedUnits: units.nullable(),
  differenceUnits: z
    .int()
    .nullable()
    .describe('What the count changes: counted, less what was expected and has moved; null while it is not counted'),
  countedAt: z.iso.datetime().nullable(),
  countedBy: id.nullable(),
  note: z.string().nullable(),
});

const header = {
  id,
  warehouse: z.string(),
  warehouseId: id,
  status: z.enum(statuses),
  note: z.string().nullable(),
  lineCount: z.int(),
  countedLineCount: z.int(),
  countedAt: z.iso.datetime().nullable().describe('When the last line was counted'),
  postedAt: z.iso.datetime().nullable(),
  postedBy: id.nullable(),
  movementId: id.nullable().describe('What it posted; null when everything was as expected'),
  createdAt: z.iso.datetime(),
  createdBy: id,
  rowVersion,
};

export const countSummary = z.object(header).meta({ id: 'CountSummary' });
export type CountSummary = z.infer<typeof countSummary>;

export const countView = z.object({ ...header, lines: z.array(countLine) }).meta({ id: 'Count' });
export type CountView = z.infer<typeof countView>;

export const countFilter = page.extend({
  warehouse: idOrCode.optional(),
  status: z.enum(statuses).optional(),
});
export type CountFilter = z.infer<typeof countFilter>;
