import { page, yesOrNo } from '@belay/platform';
import { z } from 'zod';
import { assignee, assigneeTypes, id, instant, nodeCode, reason, rowVersion } from '../assignment.contract.js';

const planModes = ['PIN', 'PLAN'] as const;
export type PlanMode = (typeof planModes)[number];

const unavailablePolicies = ['WAIT', 'NEXT'] as const;

const unavailablePolicy = z
  .enum(unavailablePolicies)
  .describe('Whoever is chosen is away. WAIT: the work waits for them; NEXT: the next plan is tried');
const priority = z.int().min(1).max(999).describe('The smaller number comes first');
const applyToRunning = z
  .boolean()
  .default(false)
  .describe('Whether assignments that nobody has begun are decided anew');

const term = {
  validFrom: instant.nullable().describe('Not in force before; null: at once'),
  validTo: instant.nullable().describe('Not in force from then on; null: for good'),
};

export const draftPlan = z
  .strictObject({
    graphId: id.optional().describe('With a node: a plan for every job of the graph, whatever the version'),
    jobTicketId: id.optional().describe('Alone a plan for the whole job, with a node for that one'),
    nodeCode: nodeCode.optional(),
    mode: z.enum(planModes).default('PLAN').describe('PIN is obeyed; PLAN gives way to what the node asks for'),
    assignee,
    priority: priority.default(100),
    validFrom: term.validFrom.default(null),
    validTo: term.validTo.default(null),
    unavailablePolicy: unavailablePolicy.optional().describe('WAIT for a PIN and NEXT for a PLAN, unless said'),
    reason: reason.optional(),
    applyToRunning,
  })
  .refine(({ graphId, jobTicketId }) => (graphId === undefined) !== (jobTicketId === undefined), {
    message: 'must name a graph or a job, and not both',
  })
  .refine(({ graphId, nodeCode: code }) => graphId === undefined || code !== undefined, {
    path: ['nodeCode'],
    message: 'must be given with a graph',
  })
  .refine(endsAfterItBegins, { path: ['validTo'], message: 'must be after validFrom' })
  .meta({ id: 'DraftAssignmentPlan' });
export type DraftPlan = z.infer<typeof draftPlan>;

export const changePlan = z
  .strictObject({
    priority: priority.optional(),
    active: z.boolean().optional(),
    validFrom: term.validFrom.optional(),
    validTo: term.validTo.optional(),
    unavailablePolicy: unavailablePolicy.optional(),
    reason: reason.nullable().optional(),
    applyToRunning,
  })
  .meta({ id: 'ChangeAssignmentPlan' });
export type ChangePlan = z.infer<typeof changePlan>;

export const planView = z
  .object({
    id,
    scope: z.enum(['job-node', 'node', 'job']),
    graphId: id.nullable(),
    jobTicketId: id.nullable(),
    nodeCode: z.string().nullable(),
    mode: z.enum(planModes),
    assignee: z.object({ type: z.enum(assigneeTypes), id }),
    priority: z.int(),
    active: z.boolean(),
    validFrom: z.iso.datetime().nullable(),
    validTo: z.iso.datetime().nullable(),
    unavailablePolicy: z.enum(unavailablePolicies),
    reason: z.string().nullable(),
    createdBy: id,
    createdAt: z.iso.datetime(),
    rowVersion,
  })
  .meta({ id: 'AssignmentPlan' });
export type PlanView = z.infer<typeof planView>;

export const planFilter = page.extend({
  graphId: id.optional(),
  jobTicketId: id.optional(),
  nodeCode: nodeCode.optional(),
  mode: z.enum(planModes).optional(),
  active: yesOrNo.describe('Those in use unless said'),
});
export type PlanFilter = z.infer<typeof planFilter>;

export const withdrawal = z.strictObject({
  applyToRunning: yesOrNo.describe('Whether assignments that nobody has begun are decided anew'),
});
export type Withdrawal = z.infer<typeof withdrawal>;

/** What a term says of itself; a change is looked at with what it leaves as it was. */
export function endsAfterItBegins({
  validFrom,
  validTo,
}: {
  validFrom: string | null;
  validTo: string | null;
}): boolean {
  return validFrom === null || validTo === null || Date.parse(validTo) > Date.parse(validFrom);
}

const pinScopes = ['token', 'job-node', 'node', 'job'] as const;

const pinned = {
  scope: z.enum(pinScopes),
  tokenId: id.optional(),
  jobTicketId: id.optional(),
  graphId: id.optional(),
  nodeCode: nodeCode.optional().describe('For a token: only there; everywhere unless said'),
};
type Pinned = { [Key in keyof typeof pinned]?: z.infer<(typeof pinned)[Key]> };

/** Which ids each scope needs, and that it has no others. */
const needed: Readonly<Record<(typeof pinScopes)[number], { must: readonly string[]; may: readonly string[] }>> = {
  token: { must: ['tokenId'], may: ['nodeCode'] },
  'job-node': { must: ['jobTicketId', 'nodeCode'], may: [] },
  node: { must: ['graphId', 'nodeCode'], may: [] },
  job: { must: ['jobTicketId'], may: [] },
};

function checkScope(given: Pinned, context: z.RefinementCtx): void {
  if (given.scope === undefined) return;
  const { must, may } = needed[given.scope];
  for (const key of ['tokenId', 'jobTicketId', 'graphId', 'nodeCode'] as const) {
    const wanted = must.includes(key);
    if (wanted && given[key] === undefined) {
      context.addIssue({ code: 'custom', path: [key], message: `is needed for the scope ${given.scope}` });
    } else if (!wanted && !may.includes(key) && given[key] !== undefined) {
      context.addIssue({ code: 'custom', path: [key], message: `means nothing for the scope ${given.scope}` });
    }
  }
}

export const setPin = z
  .strictObject({
    ...pinned,
    assignee,
    priority: priority.default(100),
    unavailablePolicy: unavailablePolicy.default('WAIT'),
    reason: reason.optional(),
    confirmUnavailable: z.boolean().default(false).describe('The person is away, and is to do it when they are back'),
    applyToRunning,
  })
  .superRefine(checkScope)
  .meta({ id: 'SetPin' });
export type SetPin = z.infer<typeof setPin>;

export const pinQuery = z
  .strictObject({
    ...pinned,
    applyToRunning: yesOrNo.describe('Whether assignments that nobody has begun are decided anew'),
  })
  .superRefine(checkScope);
export type PinQuery = z.infer<typeof pinQuery>;

export const pinView = z
  .object({
    id,
    ...pinned,
    tokenId: id.nullable(),
    jobTicketId: id.nullable(),
    graphId: id.nullable(),
    nodeCode: z.string().nullable(),
    assignee: z.object({ type: z.enum(assigneeTypes), id }),
    priority: z.int(),
    unavailablePolicy: z.enum(unavailablePolicies),
    reason: z.string().nullable(),
    rowVersion,
  })
  .meta({ id: 'Pin' });
export type PinView = z.infer<typeof pinView>;
