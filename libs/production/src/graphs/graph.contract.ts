import { line, page, search } from '@belay/platform';
import { z } from 'zod';
import { id, rowVersion } from '../production.contract.js';
import { conditionOfText, conditionOfThreshold } from './condition-text.rules.js';
import { operators, type Condition } from './condition.rules.js';
import { findingCodes } from './graph-check.rules.js';
import {
  assignmentPolicies,
  collectors,
  edgeTypes,
  estimateBases,
  formFieldTypes,
  joinTypes,
  limitScopes,
  materialPolicies,
  productionModes,
  replacementModes,
  splitKinds,
  splitPolicies,
  teamCategories,
  type Design,
} from './graph.rules.js';
import { excessOf } from './json-bounds.rules.js';
import { designableTypes } from './node-type.rules.js';

const MOST_NODES = 300;
const MOST_EDGES = 600;

const code = z
  .string()
  .trim()
  .max(64)
  .regex(/^[\w.-]+$/, 'must be of letters, digits, dots, dashes and underscores');
export const limit = z.int().min(0).max(1_000_000).nullable().describe('Null: as many as there are');
const minutes = z.number().min(0).max(1_000_000);
const text = z.string().max(1_024);

/** A field of a design that holds a document: it is never larger, deeper or wider than this. */
function bounded<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.superRefine((value, context) => {
    const excess = excessOf(value);
    if (excess !== null) context.addIssue({ code: 'custom', message: excess });
  });
}

const scalar = z.union([text, z.number(), z.boolean()]);
const term = z.union([
  z.strictObject({
    type: z.enum(['token_property', 'job_property', 'node_property']),
    field: line(200),
    op: z.enum(operators),
    value: z.union([scalar, z.array(scalar).max(100)]),
  }),
  z.strictObject({ type: z.literal('default') }),
]);
export const condition = bounded(
  z.strictObject({ groups: z.array(z.array(term).max(50)).max(50).describe('One group holds, and in it every term') }),
).meta({ id: 'RoutingCondition' });

/** A condition as it may be handed in: also in the ways in which they used to be written. */
const givenCondition = z.union([
  condition,
  z
    .strictObject({ minQty: z.number().optional(), maxQty: z.number().optional() })
    .transform((threshold, context) => known(conditionOfThreshold(threshold), context)),
  text
    .describe("e.g. token.qty >= 10 AND job.line == 'oem'")
    .transform((expression, context) => known(conditionOfText(expression), context)),
]);

function known(translated: Condition | null, context: z.RefinementCtx): Condition {
  if (translated) return translated;
  context.addIssue({ code: 'custom', message: 'cannot be translated into a condition' });
  return z.NEVER;
}

const waitRule = bounded(
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('time'), minutes: z.number() }),
    z.strictObject({ kind: z.literal('batch'), minBatch: z.number(), collectFor: z.enum(collectors) }),
    z.strictObject({ kind: z.literal('approval'), role: line(64) }),
  ]),
);

const qcPolicy = z.strictObject({
  reworkLimit: z.int().min(0).max(100).nullable().default(null),
  allowScrap: z.boolean().default(false),
  requireReworkEdge: z.boolean().default(false),
  selfQcAllowed: z.boolean().default(true),
  qcAssignmentRequired: z.boolean().default(false),
});

const formSchema = bounded(
  z.strictObject({
    fields: z
      .array(
        z.strictObject({
          name: z.string().max(64).regex(/^\w+$/, 'must be of letters, digits and underscores'),
          label: line(200),
          type: z.enum(formFieldTypes),
          required: z.boolean().default(true),
          options: z.array(line(200)).max(100).default([]),
        }),
      )
      .min(1)
      .max(50),
  }),
);

const node = {
  code,
  name: line(200),
  type: z.enum(designableTypes),
  workCenterId: id.nullable(),
  teamCategory: z.enum(teamCategories).nullable(),
  estimatedMinutes: minutes.nullable(),
  estimateBasis: z.enum(estimateBases),
  slaMinutes: z.int().min(0).max(10_000_000).nullable(),
  wipLimit: limit,
  concurrencyLimit: limit,
  queueLimit: limit,
  limitScope: z.enum(limitScopes).describe('INSTANCE: the limits of the node hold for each job by itself'),
  assignmentPolicy: z.enum(assignmentPolicies),
  preferredTeamId: id.nullable(),
  allowedTeamIds: z.array(id).max(100),
  forbiddenTeamIds: z.array(id).max(100),
  allowTrainee: z.boolean(),
  splitPolicy: z.enum(splitPolicies),
  splitKind: z.enum(splitKinds).nullable().describe('Null: COMPONENT where a join gathers all branches, else FORK'),
  joinType: z.enum(joinTypes),
  joinQuorum: z.int().max(MOST_EDGES).nullable(),
  waitWindowMinutes: z.int().min(1).max(10_000_000).nullable(),
  timeoutNodeCode: code.nullable(),
  waitRule: waitRule.nullable(),
  qcPolicy: qcPolicy.nullable(),
  scrapPolicy: z.strictObject({ mode: z.enum(replacementModes) }).nullable(),
  formSchema: formSchema.nullable(),
  formRole: line(64).nullable(),
  anchorComponentCode: code.nullable(),
  reasonMap: bounded(z.record(line(200), code)).nullable(),
  materialPolicy: z.enum(materialPolicies),
  isExceptionEnd: z.boolean(),
};
const skill = {
  skillCode: line(64),
  minLevel: z.int().min(1).max(5),
  required: z.boolean().describe('False: nice to have'),
};
const edge = {
  from: code,
  to: code,
  type: z.enum(edgeTypes),
  isDefault: z.boolean(),
  priority: z.int().min(-1_000_000).max(1_000_000),
  weight: z.number().min(0).max(1).nullable(),
  multiply: z.int().min(1).max(1_000).nullable(),
  componentCode: code.nullable(),
  label: line(200).nullable(),
};
const productionMode = z.enum(productionModes);

const draftNode = z.strictObject({
  ...node,
  productionMode: productionMode.optional().describe("The graph's own unless said"),
  workCenterId: node.workCenterId.default(null),
  teamCategory: node.teamCategory.default(null),
  estimatedMinutes: node.estimatedMinutes.default(null),
  estimateBasis: node.estimateBasis.default('unit'),
  slaMinutes: node.slaMinutes.default(null),
  wipLimit: node.wipLimit.default(null),
  concurrencyLimit: node.concurrencyLimit.default(null),
  queueLimit: node.queueLimit.default(null),
  limitScope: node.limitScope.default('NODE'),
  assignmentPolicy: node.assignmentPolicy.default('AUTO'),
  preferredTeamId: node.preferredTeamId.default(null),
  allowedTeamIds: node.allowedTeamIds.default([]),
  forbiddenTeamIds: node.forbiddenTeamIds.default([]),
  allowTrainee: node.allowTrainee.default(false),
  splitPolicy: node.splitPolicy.default('ALL'),
  splitKind: node.splitKind.default(null),
  joinType: node.joinType.default('AND'),
  joinQuorum: node.joinQuorum.default(null),
  waitWindowMinutes: node.waitWindowMinutes.default(null),
  timeoutNodeCode: node.timeoutNodeCode.default(null),
  waitRule: node.waitRule.default(null),
  qcPolicy: node.qcPolicy.default(null),
  scrapPolicy: node.scrapPolicy.default(null),
  formSchema: node.formSchema.default(null),
  formRole: node.formRole.default(null),
  anchorComponentCode: node.anchorComponentCode.default(null),
  reasonMap: node.reasonMap.default(null),
  materialPolicy: node.materialPolicy.default('warn'),
  isExceptionEnd: node.isExceptionEnd.default(false),
  requiredSkills: z
    .array(z.strictObject({ ...skill, required: skill.required.default(true) }))
    .max(50)
    .refine((all) => new Set(all.map(({ skillCode }) => skillCode)).size === all.length, 'must name each skill once')
    .default([]),
});

const draftEdge = z.strictObject({
  ...edge,
  type: edge.type.default('normal'),
  condition: givenCondition.nullable().default(null),
  isDefault: edge.isDefault.default(false),
  priority: edge.priority.default(0),
  weight: edge.weight.default(null),
  multiply: edge.multiply.default(null),
  componentCode: edge.componentCode.default(null),
  label: edge.label.default(null),
});

/** What a graph looks like when it is stored and shown. */
const design = z
  .object({
    nodes: z.array(z.object({ ...node, productionMode, requiredSkills: z.array(z.object(skill)) })),
    edges: z.array(z.object({ ...edge, condition: condition.nullable() })),
  })
  .meta({ id: 'GraphDesign' }) satisfies z.ZodType<Design>;
type StoredDesign = z.infer<typeof design>;

export const draftGraph = z
  .strictObject({
    code,
    name: line(200),
    productionMode: productionMode.default('hybrid'),
    nodes: z.array(draftNode).max(MOST_NODES).default([]),
    edges: z.array(draftEdge).max(MOST_EDGES).default([]),
  })
  .meta({ id: 'DraftGraph' });
export type DraftGraph = z.infer<typeof draftGraph>;

const graphFinding = z
  .object({
    code: z.enum(findingCodes),
    severity: z.enum(['structure', 'error', 'warning']).describe('error: cannot be published like this'),
    pointer: z.string().describe('The place in the draft, as a JSON pointer'),
    node: z.string().nullable().describe('The code of the node it is about'),
    edge: z.object({ from: z.string(), to: z.string() }).nullable(),
    detail: z.string(),
  })
  .meta({ id: 'GraphFinding' });

export const graphCheck = z.object({ entries: z.array(graphFinding) }).meta({ id: 'GraphCheck' });
export type GraphCheckView = z.infer<typeof graphCheck>;

const graphSummary = {
  id,
  code,
  name: line(200),
  productionMode,
  status: z.enum(['active', 'archived']),
  latestVersion: z.int().nullable().describe('The highest number published'),
  createdAt: z.iso.datetime(),
  rowVersion,
};
export const graphItem = z.object(graphSummary).meta({ id: 'GraphItem' });
export type GraphItem = z.infer<typeof graphItem>;

export const graphView = z
  .object({
    ...graphSummary,
    design,
    entries: z.array(graphFinding).describe('What is still in the way of publishing it'),
  })
  .meta({ id: 'Graph' });
export type GraphView = z.infer<typeof graphView>;

export const graphFilter = page.extend({
  search: search.describe('Part of a name or code'),
  status: z.enum(['active', 'archived']).optional(),
});
export type GraphFilter = z.infer<typeof graphFilter>;

/** A stored draft; it was checked when it was saved. */
export function designOf(stored: unknown): StoredDesign {
  return design.parse(stored);
}
