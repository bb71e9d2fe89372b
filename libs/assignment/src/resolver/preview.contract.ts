import { z } from 'zod';
import { assignee, assigneeTypes, id, instant, nodeCode } from '../assignment.contract.js';

export const previewQuery = z.strictObject({
  tokenId: id,
  nodeId: id.describe('Of the version that the token follows'),
});
export type PreviewQuery = z.infer<typeof previewQuery>;

const alternative = z.object({
  operatorId: id,
  reason: z.string().describe('What put the choice before them'),
  activeCount: z.int(),
  avgCycleMinutes: z.number().nullable(),
});

const candidate = z.object({
  operatorId: id,
  teamId: id,
  load: z.number().describe('In the measure of the team'),
  niceSkills: z.int(),
  cycleMinutes: z.number().nullable(),
  lastAssignedAt: z.number().nullable().describe('Milliseconds'),
  hadTurn: z.boolean().describe('Whether the round of the team has been at them'),
  sortPriority: z.int(),
});

const target = z.object({ type: z.enum(assigneeTypes), id });

const trace = z.object({
  at: z.iso.datetime(),
  enforced: z.boolean().describe('Whether overrides and rosters keep people from work'),
  steps: z
    .array(
      z.object({ tier: z.string(), outcome: z.string(), planRef: z.string().optional(), target: target.optional() }),
    )
    .describe('What was tried, in order, and what came of it'),
  candidates: z.array(candidate).describe('Those the last step chose from, the best first; of many the best twenty'),
  dropped: z
    .array(z.object({ operatorId: id, because: z.string(), detail: z.string().optional() }))
    .describe('Who was left out, and why'),
  load: z.object({ people: z.int(), mean: z.number(), sigma: z.number(), drift: z.number() }),
});

export const decisionView = z
  .object({
    decision: z.enum(['ASSIGNED', 'QUEUED', 'UNASSIGNED', 'SKIPPED']),
    method: z.string(),
    tier: z.string().nullable(),
    assignedToType: z.enum(assigneeTypes).nullable(),
    assignedToId: id.nullable(),
    operatorId: id.nullable(),
    planRef: z.string().nullable(),
    reasonCode: z.string().nullable(),
    reasonText: z.string().nullable(),
    queued: z.boolean(),
    queueReason: z.string().nullable(),
    queuePosition: z.int().nullable().describe('Where it would wait, from 1; null when it would not'),
    estimatedWaitMinutes: z.int().nullable().describe('Null when it would not wait, or nobody can say'),
    alternatives: z.array(alternative),
    warnings: z.array(z.string()),
    trace,
  })
  .meta({ id: 'AssignmentDecision' });
export type DecisionView = z.infer<typeof decisionView>;

export const plansPreviewQuery = z.strictObject({ jobTicketId: id }).meta({ id: 'PreviewPlans' });
export type PlansPreviewQuery = z.infer<typeof plansPreviewQuery>;

const share = z.object({
  decision: z.enum(['ASSIGNED', 'QUEUED', 'UNASSIGNED', 'SKIPPED']),
  assignedToType: z.enum(assigneeTypes).nullable(),
  assignedToId: id.nullable(),
  operatorId: id.nullable(),
  tier: z.string().nullable(),
  reasonCode: z.string().nullable(),
  queueReason: z.string().nullable(),
  tokens: z.int(),
});

export const plansPreview = z
  .object({
    jobTicketId: id,
    at: z.iso.datetime(),
    nodes: z.array(
      z.object({
        nodeId: id,
        nodeCode: z.string(),
        name: z.string(),
        shares: z.array(share).describe('The largest first'),
      }),
    ),
  })
  .meta({ id: 'PlansPreview' });
export type PlansPreview = z.infer<typeof plansPreview>;

const plannedChange = z.strictObject({
  mode: z.enum(['PIN', 'PLAN']).default('PLAN'),
  assignee,
  jobTicketId: id.optional().describe('For this job alone; for every job unless said'),
  priority: z.int().min(1).max(999).default(100),
  unavailablePolicy: z.enum(['WAIT', 'NEXT']).optional(),
});

const limit = z.int().min(0).nullable().optional();

export const whatIf = z
  .strictObject({
    graphId: id,
    nodeCode: nodeCode.optional().describe('Where the plan, or the limits, would be'),
    plan: plannedChange.optional().describe('A plan or a pin that there is not yet'),
    withoutPlan: id.optional().describe('A plan or a pin that is taken away'),
    leave: z
      .strictObject({ operatorId: id, until: instant.optional() })
      .optional()
      .describe('Somebody who is away from now on'),
    concurrencyLimit: limit.describe('Of the node, or of its work centre; null: without a limit'),
    wipLimit: limit.describe('The same'),
  })
  .refine(
    ({ plan, withoutPlan, leave, concurrencyLimit, wipLimit }) =>
      [plan, withoutPlan, leave, concurrencyLimit, wipLimit].some((change) => change !== undefined),
    { message: 'must change something' },
  )
  .refine(
    ({ nodeCode: at, plan, concurrencyLimit, wipLimit }) =>
      at !== undefined || [plan, concurrencyLimit, wipLimit].every((change) => change === undefined),
    { path: ['nodeCode'], message: 'must say where the plan or the limit would be' },
  )
  .meta({ id: 'WhatIf' });
export type WhatIf = z.infer<typeof whatIf>;

const prospect = z.object({
  assigned: z.int(),
  queued: z.int(),
  unassigned: z.int(),
  sigma: z.number().describe('How unevenly work lies on those who could do it'),
  headcount: z.int(),
  medianWaitMinutes: z
    .int()
    .nullable()
    .describe('Of those that wait and of which somebody can say how long; null when there is none'),
  longestWaitMinutes: z.int().nullable(),
});

const fate = z.object({ decision: z.string(), operatorId: id.nullable(), queueReason: z.string().nullable() });

const nodeEffect = z.object({
  nodeCode: z.string(),
  name: z.string(),
  tokens: z.int().describe('That nobody has begun and nobody was given by hand'),
  before: prospect.describe('When all of them are decided anew as things are'),
  after: prospect,
  changed: z.array(z.object({ tokenId: id, before: fate, after: fate })),
});

export const whatIfView = z
  .object({
    graphId: id,
    at: z.iso.datetime(),
    nodes: z.array(nodeEffect).describe('Where there are such tokens, in the order of the graph'),
  })
  .meta({ id: 'WhatIfEffect' });
export type WhatIfView = z.infer<typeof whatIfView>;
