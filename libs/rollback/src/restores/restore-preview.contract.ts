import { z } from 'zod';
import { jsonValue } from '../engine/json.js';
import {
  databaseRestoreInput,
  domainRestoreInput,
  keptRowsFields,
  markedRowsInput,
  namesOneSource,
  oneSource,
} from './restore.contract.js';

/** As the steps take it, with the path named. */
export const previewRestore = z
  .discriminatedUnion('path', [
    markedRowsInput.omit({ path: true, planHash: true }).extend({ path: z.literal('R2') }),
    keptRowsFields,
    domainRestoreInput.extend({ path: z.literal('R4') }),
    databaseRestoreInput.omit({ scope: true }).extend({ path: z.literal('R5') }),
  ])
  .refine((asked) => asked.path !== 'R3' || namesOneSource(asked), oneSource)
  .meta({ id: 'PreviewRestore' });
export type PreviewRestore = z.infer<typeof previewRestore>;

const count = z.number().int().min(0);
const facts = z.record(z.string(), jsonValue);

const markedTable = z.strictObject({
  table: z.string(),
  inserted: count.describe('Since the marker'),
  updated: count,
  deleted: count,
  upserts: count.describe('Rows that would get their former content back'),
  deletes: count.describe('Rows that would go'),
  actors: z.array(z.string()),
  sample: z.array(facts),
  conflicts: z.array(facts).describe('Records that were also changed by somebody whose changes stay'),
});

const keptTable = z.strictObject({
  table: z.string(),
  missing: count,
  changed: count,
  extra: count.describe('Only there now; never deleted'),
  samples: facts,
});

export const restorePreview = z
  .discriminatedUnion('path', [
    z.strictObject({
      path: z.literal('R2'),
      planHash: z.string().describe('Given to the plan, it is refused when something was changed since'),
      tables: z.array(markedTable),
      counterposted: z.record(z.string(), z.number()),
      refusals: z.array(facts),
      estimatedSeconds: z.number(),
    }),
    z.strictObject({ path: z.literal('R3'), tables: z.array(keptTable), refusals: z.array(facts) }),
    z.strictObject({
      path: z.literal('R4'),
      tables: z.array(keptTable).describe('What the failed copy would have otherwise than the backup'),
      dependents: z.array(z.string()).describe('Views of others, made anew at the end'),
      refusals: z.array(z.string()),
      rows: count,
    }),
    z.strictObject({
      path: z.literal('R5'),
      snapshotAt: z.string(),
      tables: z.array(z.strictObject({ table: z.string(), changes: count })).describe('Written since the backup'),
      facts: z.array(z.strictObject({ name: z.string(), count })).describe('Announced since the backup'),
      leftOut: z.array(z.string()).describe('Schemas that the backup does not have'),
    }),
  ])
  .meta({ id: 'RestorePreview' });
export type RestorePreview = z.infer<typeof restorePreview>;
