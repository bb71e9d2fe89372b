import { listOf, page } from '@belay/platform';
import { z } from 'zod';

const keptView = z
  .object({
    id: z.uuid(),
    how: z.enum(['parked', 'failed']).describe('By a migration that went down, or by a restore that replaced it'),
    kind: z.string(),
    object: z.string(),
    domain: z.string().nullable(),
    rows: z.number().nullable(),
    bytes: z.number().nullable(),
    keptAt: z.iso.datetime(),
    purgeAfter: z.iso.datetime(),
    runId: z.uuid().nullable(),
  })
  .meta({ id: 'Kept' });
export type KeptView = z.infer<typeof keptView>;

export const keptList = listOf(keptView);
export const keptQuery = page;
export type KeptQuery = z.infer<typeof keptQuery>;
