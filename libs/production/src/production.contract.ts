import { line } from '@belay/platform';
import { z } from 'zod';

export const id = z.uuid();
export const rowVersion = z.int().describe('Also its ETag');
export const instant = z.iso.datetime({ offset: true });

/** How much of something: up to nine digits and three decimals, which a double carries exactly. */
export const quantity = z
  .number()
  .positive()
  .max(999_999_999.999)
  .refine((qty) => Math.abs(qty * 1_000 - Math.round(qty * 1_000)) < 1e-6, 'must have at most three decimals');

/** Why somebody does what is not the usual way; kept for good. */
export const reason = line(500);

export const reasoned = z.strictObject({ reason }).meta({ id: 'WithReason' });
export type Reasoned = z.infer<typeof reasoned>;

/** What an operator's device may say of itself with each step; kept in the token's history. */
export const device = z
  .strictObject({
    id: line(100).optional(),
    seq: z.int().min(0).optional().describe('Counted by the device, so that gaps show'),
    time: instant.optional().describe('By its own clock'),
  })
  .meta({ id: 'ReportingDevice' });

export const warnings = z
  .array(z.enum(['clock-skew', 'long-pause']))
  .describe('clock-skew: the clock of the device is more than five minutes off; long-pause: eight hours or more');
