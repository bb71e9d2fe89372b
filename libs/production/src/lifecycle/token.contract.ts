import { personView } from '@belay/directory';
import { page } from '@belay/platform';
import { z } from 'zod';
import { nodeTypes } from '../graphs/node-type.rules.js';
import { id, rowVersion } from '../production.contract.js';
import { eventTypes, holdCodes, queueReasons, tokenStatuses } from './token.rules.js';

export const tokenView = z
  .object({
    id,
    jobTicketId: id,
    jobCode: z.string(),
    siteId: id,
    type: z.enum(['batch', 'piece', 'component']),
    serial: z.string().nullable(),
    serialRev: z.int(),
    status: z.enum(tokenStatuses),
    holdCode: z.enum(holdCodes).nullable(),
    nodeId: id.nullable().describe('Null when its way has ended'),
    nodeCode: z.string().nullable(),
    nodeType: z.enum(nodeTypes).nullable(),
    qty: z.number(),
    priority: z.int(),
    reworkCount: z.int(),
    reworkLimit: z.int().nullable(),
    queueReason: z.enum(queueReasons).nullable(),
    queueEnteredAt: z.iso.datetime().nullable(),
    parentId: id.nullable(),
    branch: z.string().nullable(),
    replacesTokenId: id.nullable(),
    mergedInto: id.nullable(),
    cancelReason: z.string().nullable(),
    qcResult: z.record(z.string(), z.json()).nullable(),
    metadata: z.record(z.string(), z.json()),
    join: z
      .object({ arrived: z.int(), expected: z.int(), missing: z.array(z.string()) })
      .nullable()
      .describe('Of what waits for parts, or with other parts: how many branches have come, and which have not'),
    spawnedAt: z.iso.datetime(),
    firstSpawnedAt: z.iso.datetime().describe('Of the first piece, when this one replaces another'),
    completedAt: z.iso.datetime().nullable(),
    rowVersion,
  })
  .meta({ id: 'FlowToken' });
export type TokenView = z.infer<typeof tokenView>;

export const tokenFilter = page.extend({
  jobTicketId: id.optional(),
  siteId: id.optional(),
  nodeCode: z.string().min(1).max(64).optional(),
  status: z
    .enum([...tokenStatuses, 'live'])
    .optional()
    .describe('live: whatever has not ended'),
  held: z.stringbool().optional(),
  serial: z.string().min(1).max(200).optional(),
  parentId: id.optional(),
});
export type TokenFilter = z.infer<typeof tokenFilter>;

export const tokenEventView = z
  .object({
    id: z.string().describe('Grows with each event'),
    type: z.enum(eventTypes),
    nodeId: id.nullable(),
    nodeCode: z.string().nullable(),
    actor: personView.nullable().describe('Null: Belay itself'),
    payload: z.record(z.string(), z.json()),
    at: z.iso.datetime(),
    clientTime: z.iso.datetime().nullable(),
  })
  .meta({ id: 'TokenEvent' });
export type TokenEventView = z.infer<typeof tokenEventView>;

const seconds = z.number().min(0);

const visitView = z
  .object({
    id,
    nodeId: id,
    nodeCode: z.string(),
    visitNo: z.int(),
    enteredAt: z.iso.datetime(),
    admittedAt: z.iso.datetime().nullable(),
    firstStartedAt: z.iso.datetime().nullable(),
    completedAt: z.iso.datetime().nullable(),
    leftAt: z.iso.datetime().nullable(),
    waitSeconds: seconds.nullable(),
    workSeconds: seconds,
    assistSeconds: seconds,
    pauseSeconds: seconds,
    teamId: id.nullable(),
    operator: personView.nullable(),
    outcome: z.enum(['moved', 'reworked', 'scrapped', 'merged', 'skipped']).nullable(),
    estimatedWaitMinutes: z.int().nullable().describe('As it was promised when it queued up'),
  })
  .meta({ id: 'TokenVisit' });
export type VisitView = z.infer<typeof visitView>;

export const visitList = z.object({ items: z.array(visitView) }).meta({ id: 'TokenVisits' });
export type VisitList = z.infer<typeof visitList>;

export const reworkTargets = z
  .object({ items: z.array(z.object({ nodeId: id, nodeCode: z.string(), name: z.string() })) })
  .meta({ id: 'ReworkTargets', description: 'Nearest first. None: only a supervisor chooses, and says why.' });
export type ReworkTargets = z.infer<typeof reworkTargets>;
