import { line } from '@belay/platform';
import { z } from 'zod';
import { id, instant, quantity } from '../production.contract.js';
import { ticketView } from '../tickets/ticket.contract.js';
import { jobLines } from '../tickets/ticket.rules.js';

const amount = z.number().min(0).max(999_999_999.999);

const pastVisit = z
  .strictObject({
    nodeCode: line(64),
    operatorId: id,
    kind: z.enum(['work', 'setup', 'breakdown']).describe('In a breakdown nobody works: its time counts as a pause'),
    startedAt: instant,
    endedAt: instant,
    goodQty: amount.default(0),
    scrapQty: amount.default(0),
    reviewQty: amount.default(0).describe('Left to a review board'),
    isRework: z.boolean().default(false).describe('What the visit before sent back'),
  })
  .refine(({ startedAt, endedAt }) => Date.parse(startedAt) <= Date.parse(endedAt), {
    path: ['endedAt'],
    error: 'must not be before the start',
  });
export type PastVisit = z.infer<typeof pastVisit>;

export const pastJob = z
  .strictObject({
    code: line(40).describe('A job with this code is taken once'),
    siteId: id,
    graphVersionId: id,
    line: z.enum(jobLines),
    sku: line(64).nullable().default(null),
    productName: line(200).nullable().default(null),
    targetQty: quantity,
    visits: z.array(pastVisit).min(1).max(1_000).describe('In any order; they may overlap'),
  })
  .meta({ id: 'PastJob' });
export type PastJob = z.infer<typeof pastJob>;

export const takenJob = z
  .object({
    ticket: ticketView,
    taken: z.boolean().describe('False when it was there already: nothing was changed'),
    visits: z.int(),
    overlaps: z.int().describe('Visits that began before the one before them had ended'),
  })
  .meta({ id: 'TakenJob' });
export type TakenJob = z.infer<typeof takenJob>;
