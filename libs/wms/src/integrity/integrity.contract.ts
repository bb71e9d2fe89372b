import { page } from '@belay/platform';
import { z } from 'zod';
import { id } from '../wms.contract.js';

const severity = z.enum(['critical', 'high']);

const run = {
  id,
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  requestedBy: id,
  failed: z.int().describe('How many checks failed'),
  inconclusive: z.int().describe('How many could not be answered'),
};

export const integrityRunSummary = z.object(run).meta({ id: 'IntegrityRunSummary' });
export type IntegrityRunSummary = z.infer<typeof integrityRunSummary>;

export const integrityRunView = z
  .object({
    ...run,
    checks: z.array(
      z
        .object({
          name: z.string(),
          holds: z.string().describe('What holds when the check passes'),
          severity,
          outcome: z.enum(['passed', 'failed', 'inconclusive']),
          violations: z.int().describe('What was found, at most 1000'),
          sample: z.array(z.record(z.string(), z.json())).describe('Some of it; only for who may see every warehouse'),
          durationMs: z.int(),
          note: z.string().nullable().describe('Why it could not be answered'),
        })
        .meta({ id: 'IntegrityCheck' }),
    ),
  })
  .meta({ id: 'IntegrityRun' });
export type IntegrityRunView = z.infer<typeof integrityRunView>;

export const integrityView = z
  .object({ last: integrityRunView.nullable().describe('Null until the checks are run for the first time') })
  .meta({ id: 'Integrity' });
export type IntegrityView = z.infer<typeof integrityView>;

export const runFilter = page.extend({});
export type RunFilter = z.infer<typeof runFilter>;
