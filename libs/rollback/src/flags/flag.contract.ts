import { listOf, page } from '@belay/platform';
import { z } from 'zod';

const mode = z.enum(['on', 'drain', 'read_only', 'off']);
const instant = z.iso.datetime();
const flag = z.string().max(200);

export const newOverride = z
  .strictObject({
    flag: flag.describe('Of a module or a feature, or `platform_writes`'),
    reason: z.string().trim().max(2_000).describe('Why, in at least ten characters; kept in the audit trail'),
  })
  .meta({ id: 'NewFlagOverride' });
export type NewOverride = z.infer<typeof newOverride>;

export const overrideView = z
  .object({
    flag: z.string(),
    off: z.boolean(),
    seq: z.string().describe('Grows with every override; a process obeys all up to the number it has acknowledged'),
    reason: z.string(),
    actor: z.string(),
    runId: z.uuid().nullable(),
    at: instant,
  })
  .meta({ id: 'FlagOverride' });
export type OverrideView = z.infer<typeof overrideView>;

const layers = z.object({
  flag: z.string(),
  mode: mode.describe('What follows from all of the layers'),
  source: z
    .object({ known: z.boolean(), on: z.boolean(), mode, gradual: z.boolean() })
    .describe('What Unleash or the flags file says'),
  parentsOff: z.array(z.string()).describe('Modules that it needs and that are off'),
  killed: z.boolean().describe('Switched off by hand'),
  emergency: z.boolean(),
  failSafe: z.boolean().describe('Off because overrides are unread for too long'),
});

const flagState = layers
  .extend({
    title: z.string(),
    module: z.string().nullable().describe('Null for what is about all of them'),
    feature: z.boolean(),
    override: overrideView.nullable(),
    obeyed: z.boolean().describe('Whether every live process has acknowledged the override'),
  })
  .meta({ id: 'FlagState' });
export type FlagState = z.infer<typeof flagState>;

export const flagBoard = z
  .object({
    emergency: z.boolean(),
    writesAllowed: z.boolean(),
    seq: z.string().describe('The newest override'),
    flags: z.array(flagState),
  })
  .meta({ id: 'FlagBoard' });
export type FlagBoard = z.infer<typeof flagBoard>;

export const flagPath = z.strictObject({ flag });
export type FlagPath = z.infer<typeof flagPath>;

export const asker = z.strictObject({
  user: z.string().max(200).optional().describe('Id of an account; without one, what holds for everybody'),
  role: z.enum(['admin', 'manager', 'supervisor', 'other']).optional(),
  siteId: z.uuid().optional(),
  graphId: z.uuid().optional(),
});
export type Asker = z.infer<typeof asker>;

export const flagExplanation = flagState
  .extend({
    asked: asker.describe('For whom'),
    because: z.array(z.string()).describe('The layers that decide, in words; the first one is enough'),
  })
  .meta({ id: 'FlagExplanation' });
export type FlagExplanation = z.infer<typeof flagExplanation>;

export const newSnapshot = z
  .strictObject({ reason: z.string().trim().max(2_000).default('') })
  .meta({ id: 'NewFlagSnapshot' });

export const snapshotView = z
  .object({
    id: z.uuid(),
    at: instant,
    sha256: z.string().describe('Of the state in canonical JSON'),
    state: flagBoard,
  })
  .meta({ id: 'FlagSnapshot' });
export type SnapshotView = z.infer<typeof snapshotView>;
export const snapshotList = listOf(snapshotView);
export const snapshotFilter = page.extend({ limit: z.coerce.number().int().min(1).max(50).default(20) });
export type SnapshotFilter = z.infer<typeof snapshotFilter>;

export const parkedObject = z.object({
  domain: z.string().nullable(),
  kind: z.enum(['schema', 'table', 'column', 'view', 'matview', 'failed-schema', 'failed-database']),
  object: z.string(),
  rows: z.string().nullable(),
  bytes: z.string().nullable(),
  since: instant,
  runId: z.uuid().nullable(),
  purgeAfter: instant,
});
export const moduleBoard = z
  .object({
    emergency: z.boolean(),
    writesAllowed: z.boolean(),
    modules: z.array(
      z.object({
        name: z.string(),
        title: z.string(),
        after: z.array(z.string()),
        mode,
        flag: flagState.nullable().describe('Null for a core module, which is always on'),
        features: z.array(flagState),
        processes: z.array(
          z.object({
            id: z.string(),
            role: z.enum(['api', 'worker', 'cli']),
            host: z.string(),
            booted: z.boolean().describe('Whether it is composed there'),
            seq: z.string().describe('The last override that the process obeys'),
            lastRequest: instant.nullable(),
            activeJobs: z.number().int(),
          }),
        ),
        schema: z.enum(['live', 'parked', 'absent', 'parked-and-live']),
        ledger: z.object({ applied: z.number().int(), parked: z.number().int(), newest: z.string().nullable() }),
        parked: z.array(parkedObject),
        lastBackup: z
          .object({ id: z.uuid(), at: instant, level: z.number().int() })
          .nullable()
          .describe('The newest that holds the module and was not found broken'),
        lastDrill: z
          .object({ runbook: z.string(), at: instant, ok: z.boolean() })
          .nullable()
          .describe('Of its runbooks, the last that was rehearsed'),
      }),
    ),
  })
  .meta({ id: 'ModuleBoard' });
export type ModuleBoard = z.infer<typeof moduleBoard>;
