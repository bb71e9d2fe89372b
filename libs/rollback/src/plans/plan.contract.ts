import { z } from 'zod';
import { jsonValue, type JsonObject } from '../engine/json.js';

/** Written into every document that is stored; an older reader refuses a newer document (`document-too-new`). */
export const SCHEMA_VERSION = 1;

const seconds = z.number().int().min(0);
const json: z.ZodType<JsonObject> = z.record(z.string(), jsonValue);

export const planTarget = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('module'),
    domain: z.string(),
    depth: z.enum(['off', 'parked']),
    /** A feature of the domain instead of all of it. */
    feature: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('runbook'),
    runbook: z.string(),
    version: z.number().int().optional(),
    /** Keys of optional steps that are wanted. */
    with: z.array(z.string()).default([]),
    params: z.record(z.string(), jsonValue).default({}),
  }),
  z.strictObject({ kind: z.literal('undo'), runId: z.uuid() }),
  z.strictObject({
    kind: z.literal('restore'),
    path: z.enum(['R1', 'R2', 'R3', 'R4', 'R5']),
    domain: z.string().optional(),
    tables: z.array(z.string()).optional(),
    markerId: z.uuid().optional(),
    backupId: z.uuid().optional(),
    /** R2: whose changes, and which records, by the domain's own keys. */
    only: z
      .strictObject({
        actors: z.array(z.string()).optional(),
        keys: z.record(z.string(), z.array(z.string())).optional(),
      })
      .optional(),
    excludeActors: z.array(z.string()).optional(),
    /** R2: of the preview that people agreed to; void when something was changed since. */
    planHash: z.string().optional(),
    /** R3: from a schema that an earlier restore put aside, instead of a backup. */
    failedSchema: z.string().optional(),
    /** R3: a database that an earlier R5 put aside. */
    failedDatabase: z.string().optional(),
    /** R3: which differences are put right. */
    classes: z.array(z.enum(['missing', 'changed'])).optional(),
  }),
  z.strictObject({
    kind: z.literal('purge'),
    /** `application` for copies of the whole database. */
    domain: z.string(),
    /** Copies that restores have put aside, by the names they are kept under: then nothing but these. */
    copies: z.array(z.string()).min(1).optional(),
    /** Only what a feature of the domain has parked, by its flag. */
    feature: z.string().optional(),
    /** The domain's name, typed by a person. */
    confirm: z.string(),
  }),
  z.strictObject({ kind: z.literal('emergency'), level: z.enum(['E1', 'E2', 'E4']), domain: z.string().optional() }),
]);
export type PlanTarget = z.infer<typeof planTarget>;

const planStep = z.strictObject({
  /** Unique within the plan, e.g. `off:enable_wms_module`. */
  key: z.string(),
  action: z.string(),
  version: z.number().int(),
  /** Whom it concerns; null when it concerns all. */
  domain: z.string().nullable(),
  input: json,
  /** Keys of the steps that come before. */
  after: z.array(z.string()),
  destructive: z.boolean(),
  timeoutS: seconds,
  onFail: z.enum(['compensate', 'hold', 'continue']),
  /** How it is taken back, for people. */
  undo: z.string(),
});
export type PlanStep = z.infer<typeof planStep>;

/** A plan as it is hashed, approved and carried out: canonical JSON, whose SHA-256 is the plan's id. */
export const planDoc = z.strictObject({
  schemaVersion: z.literal(SCHEMA_VERSION),
  target: planTarget,
  reason: z.string(),
  /** Who made it and when, so that no two plans are the same. */
  author: z.string(),
  createdAt: z.iso.datetime(),
  /** Of schemas, ledgers and flags when it was made; a run is refused when they have changed since. */
  fingerprint: z.string(),
  /** The domains it touches, in the order in which they go. */
  domains: z.array(z.string()),
  policy: z.enum(['compensate', 'hold', 'continue']),
  risk: z.enum(['none', 'low', 'medium', 'high']),
  dataLossRisk: z.enum(['none', 'low', 'medium']),
  /** Before → after, per component, for people. */
  changes: z.array(z.strictObject({ component: z.string(), from: z.string(), to: z.string() })),
  impact: z.strictObject({
    unavailable: z.array(z.string()),
    /** For how long, for people. */
    downtime: z.string().default(''),
    dependents: z.array(z.string()),
    rows: z.number().int(),
    bytes: z.number().int(),
    /** Largest first; rows as the catalogue has them. */
    tables: z.array(z.strictObject({ table: z.string(), rows: z.number().int(), bytes: z.number().int() })),
    notes: z.array(z.string()),
  }),
  backup: z.strictObject({ scope: z.array(z.string()), level: z.number().int().min(0).max(4) }).nullable(),
  steps: z.array(planStep).max(200),
  /** What the approvals must contain; nothing is needed when it is empty. */
  approvals: z.array(z.strictObject({ permission: z.string() })),
  budgetS: seconds,
  targetS: seconds,
  estimateS: z.number(),
  warnings: z.array(z.string()),
});
export type PlanDoc = z.infer<typeof planDoc>;

const recoveryOption = z.object({
  kind: z.enum(['other-target', 'extra-step', 'wait-until', 'ask']),
  text: z.string(),
  command: z.string().optional(),
});

export const checkResultView = z
  .object({
    id: z.string(),
    title: z.string(),
    severity: z.enum(['critical', 'normal']),
    outcome: z.enum(['pass', 'fail', 'inconclusive', 'not-run']),
    measured: json,
    threshold: json,
    evidence: json,
    recovery: z.array(recoveryOption),
    bypassedBy: z.string().nullable(),
  })
  .meta({ id: 'CheckResult' });

export const planView = z
  .object({
    id: z.string().describe('SHA-256 of the document in canonical JSON; approvals and runs name it'),
    state: z.enum(['validating', 'blocked', 'awaiting-approval', 'approved', 'used', 'expired', 'cancelled']),
    doc: planDoc,
    createdBy: z.string(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    approvals: z.array(
      z.object({
        actor: z.string(),
        role: z.string(),
        decision: z.enum(['approve', 'reject', 'withdraw']),
        reason: z.string(),
        at: z.iso.datetime(),
      }),
    ),
    missing: z.array(z.object({ permission: z.string() })).describe('Approvals that nobody has given yet'),
    checks: z.array(checkResultView),
  })
  .meta({ id: 'Plan' });
export type PlanView = z.infer<typeof planView>;

export const dryRunView = z
  .object({
    plan: planView,
    decision: z.enum(['go', 'pause', 'refuse']).describe('What the checks say as things are now'),
    previews: z.array(
      z.object({
        key: z.string(),
        action: z.string(),
        inspected: json.nullable().describe('What is there now'),
        preview: z
          .object({
            changes: z.array(z.string()).describe('SQL, calls or flags, one an entry'),
            estimatedMs: z.number(),
            lock: z.enum(['none', 'row', 'access-exclusive']),
            rows: z.number(),
            reversible: z.boolean(),
            notes: z.array(z.string()),
          })
          .nullable(),
        problem: z.string().nullable().describe('Why it could not be looked at; later steps may need earlier ones'),
        tookMs: z.number(),
      }),
    ),
    tookMs: z.number(),
  })
  .meta({ id: 'DryRun' });
export type DryRunView = z.infer<typeof dryRunView>;

const reason = z.string().trim().max(2_000).describe('At least 10 characters; kept in the audit trail');

export const newPlan = z.strictObject({ target: planTarget, reason }).meta({ id: 'NewPlan' });
export type NewPlan = z.infer<typeof newPlan>;

export const planDecision = z
  .strictObject({ decision: z.enum(['approve', 'reject', 'withdraw']), reason })
  .meta({ id: 'PlanDecision' });
export type PlanDecision = z.infer<typeof planDecision>;

export const planPath = z.strictObject({ id: z.string().regex(/^[0-9a-f]{64}$/) });
export type PlanPath = z.infer<typeof planPath>;
