import { listOf, page } from '@belay/platform';
import { z } from 'zod';
import { jsonValue } from '../engine/json.js';
import { checkResultView } from '../plans/plan.contract.js';

const reason = z.string().trim().min(1).max(2_000).describe('Why, in at least ten characters; kept in the audit trail');
const facts = z.record(z.string(), jsonValue);

export const newRun = z
  .strictObject({
    planId: z.string().regex(/^[0-9a-f]{64}$/, 'is the SHA-256 of a plan in hex'),
    reason,
  })
  .meta({ id: 'NewRollbackRun' });
export type NewRun = z.infer<typeof newRun>;

export const runWish = z.strictObject({ reason }).meta({ id: 'RollbackRunWish' });
export type RunWishBody = z.infer<typeof runWish>;

export const stepWish = z
  .strictObject({ reason, facts: facts.default({}).describe('What a person saw or did, kept as evidence') })
  .meta({ id: 'RollbackStepWish' });
export type StepWishBody = z.infer<typeof stepWish>;

export const runPath = z.strictObject({ id: z.uuid() });
export type RunPath = z.infer<typeof runPath>;

export const stepPath = z.strictObject({ id: z.uuid(), idx: z.coerce.number().int().min(0).max(199) });
export type StepPath = z.infer<typeof stepPath>;

export const runFilter = page.extend({
  state: z
    .enum([
      'queued',
      'running',
      'paused',
      'verifying',
      'monitoring',
      'closed',
      'failed',
      'compensating',
      'compensated',
      'manual',
      'cancelled',
    ])
    .optional(),
});
export type RunFilter = z.infer<typeof runFilter>;

export const eventFilter = z.strictObject({
  after: z.coerce.number().int().min(0).default(0).describe('Only events behind this number'),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});
export type EventFilter = z.infer<typeof eventFilter>;

const instant = z.iso.datetime();

export const runStepView = z
  .object({
    idx: z.number().int(),
    action: z.string(),
    domain: z.string().nullable(),
    input: facts,
    state: z.string(),
    attempt: z.number().int(),
    waitsFor: z.string().nullable(),
    skipReason: z.string().nullable(),
    before: facts.nullable().describe('What was there'),
    preview: facts.nullable().describe('What was to be changed'),
    result: facts.nullable(),
    evidence: facts.nullable().describe('What was seen afterwards, by another way'),
    error: facts.nullable(),
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
  })
  .meta({ id: 'RollbackRunStep' });

export const runView = z
  .object({
    id: z.uuid(),
    planId: z.string(),
    target: facts,
    scope: z.enum(['live', 'drill']),
    mode: z.enum(['normal', 'drill', 'dry', 'emergency', 'undo']),
    level: z.string().nullable().describe('Of an emergency'),
    state: z.string(),
    pausedFor: z.string().nullable(),
    policy: z.string(),
    reason: z.string(),
    actor: z.string(),
    undoes: z.uuid().nullable(),
    ratifiedBy: z.string().nullable(),
    percent: z.number().describe('Never falls'),
    currentStep: z.number().int().nullable(),
    etaS: z.number().nullable().describe('Seconds it will take from now, by what such steps took before'),
    budgetS: z.number(),
    elapsedS: z.number(),
    lastEvent: z.number().int(),
    createdAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    monitorUntil: instant.nullable(),
    result: facts.describe('What remains to be done by hand, when it could not be taken back whole'),
    steps: z.array(runStepView),
  })
  .meta({ id: 'RollbackRun' });
export type RunView = z.infer<typeof runView>;

export const runSummary = runView.omit({ steps: true, result: true }).meta({ id: 'RollbackRunSummary' });
export type RunSummary = z.infer<typeof runSummary>;
export const runList = listOf(runSummary);

export const runEventView = z
  .object({ seq: z.number().int(), at: instant, type: z.string(), payload: facts })
  .meta({ id: 'RollbackRunEvent' });
export type RunEventView = z.infer<typeof runEventView>;

export const runEvents = z
  .object({ items: z.array(runEventView), last: z.number().int().describe('Number of the newest event there is') })
  .meta({ id: 'RollbackRunEvents' });
export type RunEvents = z.infer<typeof runEvents>;

const figures = z.object({
  requests: z.number().int(),
  errors: z.number().int().describe('Answers with a status of 500 or more'),
  errorRate: z.number(),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
});

const traffic = z.object({
  minutes: z.number().int().describe('How many are looked at before the run began, and after it ended'),
  modules: z.array(z.object({ module: z.string(), before: figures.nullable(), after: figures.nullable() })),
});
export type Traffic = z.infer<typeof traffic>;

export const runReport = z
  .object({
    run: runView,
    reason: z.string(),
    /** Of every component that was to change. */
    components: z.array(z.object({ component: z.string(), from: z.string(), to: z.string() })),
    timings: z.object({
      budgetS: z.number(),
      targetS: z.number(),
      estimateS: z.number(),
      tookS: z.number().nullable(),
      withinBudget: z.boolean().nullable(),
      steps: z.array(z.object({ idx: z.number().int(), action: z.string(), tookMs: z.number().nullable() })),
    }),
    checks: z.array(checkResultView),
    bypasses: z.array(z.object({ check: z.string(), by: z.string() })),
    parked: z.array(
      z.object({ domain: z.string(), kind: z.string(), object: z.string(), rows: z.string().nullable() }),
    ),
    dataLoss: z
      .enum(['none', 'possible'])
      .describe('None unless a step says that rows are only in a copy that is kept'),
    traffic: traffic.describe('What the API served around the run, as far as its figures are still kept'),
  })
  .meta({ id: 'RollbackReport' });
export type RunReport = z.infer<typeof runReport>;

export const logEntry = z
  .object({
    runId: z.uuid(),
    date: instant,
    phase: z.string(),
    reason: z.string(),
    rolledBackBy: z.string(),
    durationS: z.number().nullable(),
    dataLoss: z.boolean(),
    issues: z.string(),
    resolution: z.string(),
  })
  .meta({ id: 'RollbackLogEntry' });
export type LogEntry = z.infer<typeof logEntry>;
export const logList = listOf(logEntry);
