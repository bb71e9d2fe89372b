import { page } from '@belay/platform';
import { z } from 'zod';
import { assigneeTypes, id, instant } from '../assignment.contract.js';

const methods = ['PIN', 'PLAN', 'AUTO', 'MANUAL', 'REASSIGN', 'HELP', 'SKIP'] as const;
const events = [
  'assigned',
  'queued',
  'woken',
  'unassigned',
  'override',
  'pin_set',
  'pin_unset',
  'accepted',
  'rejected',
  'cancelled',
  'resolver_error',
] as const;
const tiers = ['token', 'job_node', 'node', 'job', 'node_default', 'auto', 'manual'] as const;

const which = {
  method: z.enum(methods).optional(),
  event: z.enum(events).optional(),
  from: instant.optional(),
  until: instant.optional().describe('Before'),
  tokenId: id.optional(),
  jobTicketId: id.optional(),
  nodeId: id.optional(),
  teamId: id.optional().describe('Work that was for the team'),
  operatorId: id.optional().describe('Work that was for the person, also as one of a team'),
};

export const logFilter = page.extend({
  ...which,
  limit: z.coerce.number().int().min(1).max(100).default(50).describe('Items on a page'),
});
export type LogFilter = z.infer<typeof logFilter>;

export const logExport = z.strictObject(which);
export type LogExport = z.infer<typeof logExport>;

export const logEntry = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    event: z.enum(events),
    method: z.enum(methods),
    tier: z.enum(tiers).nullable(),
    tokenId: id.nullable(),
    nodeId: id.nullable(),
    jobTicketId: id.nullable(),
    assignedTo: z.object({ type: z.enum(assigneeTypes), id }).nullable(),
    operatorId: id.nullable(),
    reasonCode: z.string().nullable(),
    reason: z
      .record(z.string(), z.json())
      .describe('What the decision rested on: candidates, what left them out, loads'),
    queueReason: z.string().nullable(),
    queuePosition: z.int().nullable(),
    estimatedWaitMinutes: z.int().nullable(),
    latencyMs: z.number().nullable(),
    actorId: id.nullable().describe('Null for Belay itself'),
  })
  .meta({ id: 'AssignmentLogEntry' });
export type LogEntry = z.infer<typeof logEntry>;
