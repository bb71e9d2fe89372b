import { line, page } from '@belay/platform';
import { z } from 'zod';
import { id, instant, reason, rowVersion } from '../assignment.contract.js';

const leaveTypes = ['sick', 'personal', 'vacation', 'training', 'other'] as const;
const leaveStatuses = ['requested', 'approved', 'rejected', 'cancelled'] as const;
export type LeaveStatus = (typeof leaveStatuses)[number];

const DAY_MS = 86_400_000;
const MOST_DAYS = 366;

export const requestLeave = z
  .strictObject({
    operatorId: id.optional().describe('Oneself, unless said'),
    leaveType: z.enum(leaveTypes),
    from: instant.describe('The first instant away'),
    until: instant.describe('The first instant back'),
    reasonCode: line(40).optional(),
    reasonText: reason.optional().describe('Seen by oneself and by who decides about leave'),
  })
  .refine(({ from, until }) => Date.parse(until) > Date.parse(from), {
    path: ['until'],
    message: 'must be after from',
  })
  .refine(({ from, until }) => Date.parse(until) - Date.parse(from) <= MOST_DAYS * DAY_MS, {
    path: ['until'],
    message: `must be at most ${MOST_DAYS} days after from`,
  })
  .meta({ id: 'RequestLeave' });
export type RequestLeave = z.infer<typeof requestLeave>;

export const leaveView = z
  .object({
    id,
    operatorId: id,
    leaveType: z.enum(leaveTypes),
    reasonCode: z.string().nullable(),
    reasonText: z.string().nullable(),
    from: z.iso.datetime(),
    until: z.iso.datetime(),
    status: z.enum(leaveStatuses),
    approvedBy: id.nullable(),
    source: z.enum(['local', 'people']),
    createdBy: id,
    createdAt: z.iso.datetime(),
    rowVersion,
  })
  .meta({ id: 'Leave' });
export type LeaveView = z.infer<typeof leaveView>;

export const leaveFilter = page.extend({
  operatorId: id.optional(),
  status: z.enum(leaveStatuses).optional(),
  from: instant.optional().describe('Not over before'),
  until: instant.optional().describe('Begun before'),
});
export type LeaveFilter = z.infer<typeof leaveFilter>;
