import { z } from 'zod';
import { jsonValue, type JsonObject } from '../engine/json.js';
import { SCHEMA_VERSION } from './plan.contract.js';

const text = z.string().trim().min(1).max(500);
const params: z.ZodType<JsonObject> = z.record(z.string().max(100), jsonValue);

const runbookStep = z.strictObject({
  key: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/),
  action: z.string().max(60),
  params,
  optional: z.boolean().default(false),
  timeoutS: z.number().int().min(1).max(86_400),
  onFail: z.enum(['compensate', 'hold', 'continue']),
});

const contactRole = z.enum(['architect', 'DBA', 'DevOps', 'PM', 'on-call']);

/** What people may write; id, version and domain come from the place where it is kept. */
export const runbookDraft = z
  .strictObject({
    trigger: text,
    preconditions: z.array(text).max(50),
    steps: z.array(runbookStep).min(1).max(150),
    verification: z.array(text).max(50),
    after: z.array(text).max(50),
    budgetS: z.number().int().min(1).max(86_400),
    targetS: z.number().int().min(1).max(86_400),
    dataLossRisk: z.enum(['none', 'low', 'medium']),
    contacts: z
      .array(z.strictObject({ role: contactRole, name: text, reach: text }))
      .max(50)
      .default([]),
  })
  .meta({ id: 'RunbookDraft' });
export type RunbookDraft = z.infer<typeof runbookDraft>;

export const runbookDoc = runbookDraft.extend({
  schemaVersion: z.literal(SCHEMA_VERSION),
  id: z.string(),
  version: z.number().int(),
  domain: z.string(),
});
export type RunbookDoc = z.infer<typeof runbookDoc>;

const summary = z.object({
  id: z.string(),
  version: z.number().int(),
  domain: z.string(),
  sha256: z.string(),
  budgetS: z.number().int(),
  targetS: z.number().int(),
  createdBy: z.string().describe('`release` for what the manifests bring'),
  drill: z
    .object({ at: z.iso.datetime(), ok: z.boolean(), ms: z.number().nullable() })
    .nullable()
    .describe('The last one of this very version'),
});

export const runbookSummary = summary.meta({ id: 'RunbookSummary' });
export type RunbookSummary = z.infer<typeof runbookSummary>;

export const runbookView = summary
  .extend({
    doc: runbookDoc,
    versions: z.array(z.number().int()),
    rowVersion: z.number().int().describe('The newest version, which a change is made from'),
  })
  .meta({ id: 'Runbook' });
export type RunbookView = z.infer<typeof runbookView>;

export const runbookPath = z.strictObject({ id: z.string().regex(/^[a-z][a-z0-9-]{0,60}$/) });
export type RunbookPath = z.infer<typeof runbookPath>;
export const runbookQuery = z.strictObject({ version: z.coerce.number().int().min(1).max(1_000_000).optional() });
export type RunbookQuery = z.infer<typeof runbookQuery>;
