import { listOf, page } from '@belay/platform';
import { z } from 'zod';
import { jsonValue } from '../engine/json.js';
import { anchorView } from './anchor.contract.js';

const place = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const hex = z.string();

export const exportFormats = ['jsonl', 'csv', 'ocsf', 'cef', 'html'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export const auditFilter = page.extend({
  actor: z.string().max(200).optional().describe('Id of whoever did it'),
  action: z
    .string()
    .max(200)
    .optional()
    .describe('What was done, e.g. `run.request`; all that begin with `run.` when it ends so'),
  outcome: z.string().max(200).optional(),
  runId: z.uuid().optional(),
  planId: z.string().max(64).optional(),
});
export type AuditFilter = z.infer<typeof auditFilter>;

const auditRange = z.strictObject({
  from: place.optional().describe('The first entry; those before are taken for granted'),
  to: place.optional().describe('The last entry'),
});

export const verifyQuery = auditRange.extend({
  seq: place.optional().describe('Only this entry, by its Merkle path, without the rest'),
});
export type VerifyQuery = z.infer<typeof verifyQuery>;

export const exportQuery = auditRange.extend({ format: z.enum(exportFormats).default('jsonl') });
export type ExportQuery = z.infer<typeof exportQuery>;

const told = {
  at: z.string(),
  actor: jsonValue,
  action: z.string(),
  subject: z.string(),
  environment: z.string(),
  reason: z.string().nullable(),
  planId: z.string().nullable(),
  runId: z.string().nullable(),
  beforeDigest: z.string().nullable(),
  afterDigest: z.string().nullable(),
  outcome: z.string(),
};

export const auditEntryView = z
  .object({ seq: z.number().int(), ...told, prevHash: hex, hash: hex })
  .meta({ id: 'AuditEntry' });
export type AuditEntryView = z.infer<typeof auditEntryView>;
export const auditList = listOf(auditEntryView);

const finding = z.object({ seq: z.number().int().describe('Of the anchor'), problem: z.string() });
export type AnchorFinding = z.infer<typeof finding>;

const toldLoss = z.object({
  entry: z.number().int().describe('The entry that says so'),
  kind: z.enum(['gap', 'fork']).describe('Entries are lost, or are others than those that were anchored'),
  anchorHash: hex.describe('Of the newest anchor before the restore'),
  last: z.number().int().nullable().describe('The entry that was anchored last then; null when the file lacks it'),
});
export type ToldLoss = z.infer<typeof toldLoss>;

const anchorsVerified = z.object({
  count: z.number().int(),
  last: z.number().int().describe('The last entry that is anchored'),
  file: z.object({ present: z.boolean(), anchors: z.number().int() }),
  findings: z.array(finding),
  told: z.array(toldLoss).describe('What restores of this memory have cost: no finding, because the trail says so'),
});
export type AnchorsVerified = z.infer<typeof anchorsVerified>;

const entryProof = z.object({
  seq: z.number().int(),
  entry: jsonValue,
  prevHash: hex,
  hash: hex.describe('SHA-256 of prevHash and the entry'),
  path: z
    .array(z.object({ side: z.enum(['left', 'right']), hash: hex }))
    .max(10)
    .describe('From the entry to the root of its anchor'),
  anchor: anchorView,
  holds: z.boolean(),
});
export type EntryProof = z.infer<typeof entryProof>;

export const auditVerification = z
  .object({
    ok: z.boolean(),
    entries: z.number().int().describe('How many were walked'),
    broken: z
      .object({
        seq: z.number().int(),
        reason: z.enum(['changed', 'deleted', 'reordered', 'inserted', 'head-mismatch']),
      })
      .nullable()
      .describe('The first place where the chain is not what was written'),
    head: z.object({ seq: z.number().int(), hash: hex }).nullable(),
    anchors: anchorsVerified.nullable().describe('With a walk of the whole chain'),
    proof: entryProof.nullable().describe('With `seq`'),
  })
  .meta({ id: 'AuditVerification' });
export type AuditVerification = z.infer<typeof auditVerification>;
