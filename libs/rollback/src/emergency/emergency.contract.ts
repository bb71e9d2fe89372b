import { z } from 'zod';
import { planView } from '../plans/plan.contract.js';
import { runView } from '../runs/run.contract.js';

const reason = z.string().trim().max(2_000).describe('Why, in at least ten characters; kept in the audit trail');
const confirm = z.string().max(200).describe('The name of the environment, typed by a person');
const module = z.string().max(100);

export const newEmergency = z
  .discriminatedUnion('level', [
    z.strictObject({
      level: z.literal('E1'),
      module: module.describe('This one, and those that cannot live without it'),
      reason,
      confirm,
    }),
    z.strictObject({ level: z.literal('E2'), reason, confirm }).describe('Every module and feature that has a flag'),
    z
      .strictObject({ level: z.literal('E4'), module: module.optional(), reason, confirm })
      .describe('The same, and then back to a proven backup, once a second person with rollback:restore has agreed'),
  ])
  .meta({ id: 'NewEmergency' });
export type NewEmergency = z.infer<typeof newEmergency>;

export const ratification = z.strictObject({ reason }).meta({ id: 'EmergencyRatification' });
export type Ratification = z.infer<typeof ratification>;

export const emergencyView = z
  .object({
    emergencyId: z.uuid().describe('Also the id of its run, unless another is at work already'),
    level: z.enum(['E1', 'E2', 'E4']),
    module: z.string().nullable(),
    t0: z.iso.datetime().describe('When the flags were off'),
    flags: z.array(z.string()).describe('What was switched off at once, whatever comes of the rest'),
    acknowledged: z.object({
      processes: z.number().int(),
      behind: z
        .array(z.object({ id: z.string(), role: z.string(), host: z.string(), pid: z.number() }))
        .describe('Those that live and had not obeyed yet when this was answered'),
      ms: z.number().int(),
    }),
    joined: z.boolean().describe('Whether an emergency of this level or a higher one was at work already'),
    run: runView.nullable(),
    plan: planView.nullable().describe('What a second person has to agree to; declare it again when they have'),
    problem: z.string().nullable().describe('Why there is no run; the flags are off all the same'),
  })
  .meta({ id: 'Emergency' });
export type EmergencyView = z.infer<typeof emergencyView>;
