import { z } from 'zod';

/** Facts of whoever runs jobs by station scans, as far as we read them; they need not be there. */
export const stationTicketCreated = z.object({
  jobTicketId: z.uuid(),
  siteId: z.uuid(),
  graphVersionId: z.uuid(),
  qty: z.coerce.number().positive(),
  dueAt: z.iso.datetime({ offset: true }).nullable().default(null),
  sku: z.string().nullable().default(null),
});
export type StationTicketCreated = z.infer<typeof stationTicketCreated>;

export const stationTicketChanged = z.object({
  jobTicketId: z.uuid(),
  status: z.enum(['planned', 'in_progress', 'on_hold', 'completed', 'cancelled']),
  /** Why it was cancelled, as far as that is told. */
  reason: z.string().nullable().default(null),
});
export type StationTicketChanged = z.infer<typeof stationTicketChanged>;

export const stationStepChanged = z.object({
  jobTicketId: z.uuid(),
  nodeCode: z.string(),
  status: z.enum(['pending', 'in_progress', 'completed', 'skipped']),
  goodQty: z.coerce.number().min(0).default(0),
  scrapQty: z.coerce.number().min(0).default(0),
});
export type StationStepChanged = z.infer<typeof stationStepChanged>;
