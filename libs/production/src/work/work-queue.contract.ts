import { personView } from '@belay/directory';
import { listOf, page } from '@belay/platform';
import { z } from 'zod';
import { holdCodes, queueReasons, tokenStatuses } from '../lifecycle/token.rules.js';
import { id, rowVersion } from '../production.contract.js';
import { assignmentMethods } from './assignment-policy.contract.js';
import { assignmentStatuses } from './assignment.queries.js';
import { sessionView } from './session.contract.js';

const workPermissions = z
  .object({
    canStart: z.boolean(),
    canPause: z.boolean(),
    canResume: z.boolean(),
    canComplete: z.boolean(),
    canQcPass: z.boolean(),
    canQcFail: z.boolean(),
    canAssist: z.boolean(),
    canReplace: z.boolean(),
  })
  .describe('A hint; whoever acts is checked again');
export type WorkPermissions = z.infer<typeof workPermissions>;

const workItem = z
  .object({
    tokenId: id,
    rowVersion,
    serial: z.string().nullable(),
    qty: z.number(),
    status: z.enum(tokenStatuses),
    holdCode: z.enum(holdCodes).nullable(),
    priority: z.int(),
    product: z.object({ sku: z.string().nullable(), name: z.string().nullable() }),
    job: z.object({ id, code: z.string(), dueAt: z.iso.datetime().nullable(), notes: z.string().nullable() }),
    node: z.object({ id, code: z.string(), name: z.string(), type: z.string() }),
    enteredAt: z.iso.datetime(),
    assignment: z
      .object({
        id,
        status: z.enum(assignmentStatuses),
        method: z.enum(assignmentMethods),
        reasonCode: z.string().nullable(),
        reasonText: z.string().nullable(),
        note: z.string().nullable(),
        teamId: id.nullable(),
        operator: personView.nullable(),
        reassignedFrom: personView.nullable(),
      })
      .nullable()
      .describe('Null: whoever may claim it'),
    session: sessionView.nullable().describe('Mine, or of whoever has the work'),
    helpedBy: z.array(personView),
    queueReason: z.enum(queueReasons).nullable(),
    queuePosition: z.int().nullable().describe('1 is next'),
    estimatedWaitMinutes: z.int().nullable().describe('Null when nobody can say'),
    join: z
      .object({ node: z.string().nullable(), arrived: z.int(), expected: z.int(), missing: z.array(z.string()) })
      .nullable()
      .describe('Of the parts that are made side by side'),
    permissions: workPermissions,
  })
  .meta({ id: 'WorkItem' });
export type WorkItem = z.infer<typeof workItem>;
export const workQueue = listOf(workItem);

export const workQueueFilter = page;
