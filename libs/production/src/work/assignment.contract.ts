import { line, listOf, page } from '@belay/platform';
import { z } from 'zod';
import { id, reason, rowVersion } from '../production.contract.js';
import { assignmentMethods } from './assignment-policy.contract.js';
import { assignmentStatuses } from './assignment.queries.js';

const target = {
  teamId: id.optional(),
  operatorId: id.optional(),
};
const oneTarget = (given: { teamId?: string | undefined; operatorId?: string | undefined }) =>
  (given.teamId === undefined) !== (given.operatorId === undefined);
const wrongTarget = { message: 'must name either a team or an operator', path: ['operatorId'] };

export const assignTokens = z
  .strictObject({
    tokenIds: z
      .array(id)
      .min(1)
      .max(500)
      .refine((ids) => new Set(ids).size === ids.length, 'must not name a token twice'),
    ...target,
    priority: z.int().min(-32_768).max(32_767).optional().describe('Of the tokens from now on; higher comes first'),
    note: line(500).optional(),
    confirmUnavailable: z.boolean().default(false).describe('The caller may overrule that they are away'),
  })
  .refine(oneTarget, wrongTarget)
  .meta({ id: 'AssignTokens' });
export type AssignTokens = z.infer<typeof assignTokens>;

export const assignedTokens = z
  .object({
    assigned: z.int(),
    total: z.int(),
    errors: z.array(z.object({ tokenId: id, code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'AssignedTokens' });
export type AssignedTokens = z.infer<typeof assignedTokens>;

export const overrideWork = z
  .strictObject({
    type: z.enum(['reassign', 'handoff', 'help']).describe('reassign: not begun yet; handoff: begun; help: beside'),
    ...target,
    reason: reason.optional().describe('Needed to hand off'),
    confirmUnavailable: z.boolean().default(false),
  })
  .refine(oneTarget, wrongTarget)
  .refine(({ type, operatorId }) => type !== 'help' || operatorId !== undefined, {
    message: 'must name who helps',
    path: ['operatorId'],
  })
  .refine(({ type, reason: why }) => type !== 'handoff' || why !== undefined, {
    message: 'must be given to hand off',
    path: ['reason'],
  })
  .meta({ id: 'OverrideWork' });
export type OverrideWork = z.infer<typeof overrideWork>;

export const assignmentView = z
  .object({
    id,
    tokenId: id,
    nodeId: id,
    nodeCode: z.string(),
    jobTicketId: id,
    serial: z.string().nullable(),
    assigneeType: z.enum(['operator', 'team']),
    teamId: id.nullable(),
    operatorId: id.nullable(),
    method: z.enum(assignmentMethods),
    status: z.enum(assignmentStatuses),
    reasonCode: z.string().nullable(),
    reasonText: z.string().nullable(),
    note: z.string().nullable(),
    assignedAt: z.iso.datetime(),
    cancelReason: z.string().nullable(),
    rowVersion,
  })
  .meta({ id: 'TokenAssignment' });
export type AssignmentView = z.infer<typeof assignmentView>;
export const assignmentList = listOf(assignmentView);

export const assignmentFilter = page.extend({
  tokenId: id.optional(),
  jobTicketId: id.optional(),
  teamId: id.optional(),
  operatorId: id.optional(),
  status: z
    .enum([...assignmentStatuses, 'open'])
    .optional()
    .describe('open: assigned, accepted, started or paused'),
});
export type AssignmentFilter = z.infer<typeof assignmentFilter>;

export const myAssignmentFilter = page.extend({
  status: z.enum([...assignmentStatuses, 'open']).default('open'),
});
export type MyAssignmentFilter = z.infer<typeof myAssignmentFilter>;
