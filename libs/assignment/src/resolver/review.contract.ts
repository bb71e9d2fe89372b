import { z } from 'zod';
import { id, instant } from '../assignment.contract.js';
import { strategies } from './replay.rules.js';

const span = {
  graphId: id.optional().describe('Of this graph alone, whatever the version'),
  from: instant.optional().describe('A week before its end unless said'),
  until: instant.optional().describe('Before; now unless said'),
};

export const agreementQuery = z.strictObject(span);
export type AgreementQuery = z.infer<typeof agreementQuery>;

export const agreementView = z
  .object({
    from: z.iso.datetime(),
    until: z.iso.datetime(),
    choices: z.int().describe('That were only logged'),
    given: z.int().describe('Of these, given to somebody by hand since'),
    agreed: z.int().describe('Of these, to the same person'),
    ratio: z.number().nullable().describe('Agreed of given; null when nothing was given'),
  })
  .meta({ id: 'AssignmentAgreement' });
export type AgreementView = z.infer<typeof agreementView>;

export const replayQuery = z.strictObject({
  ...span,
  strategy: z
    .enum(strategies)
    .default('as-decided')
    .describe('What is looked at first: how people are chosen, who is fastest, without work longest, or next in turn'),
});
export type ReplayQuery = z.infer<typeof replayQuery>;

export const replayView = z
  .object({
    from: z.iso.datetime(),
    until: z.iso.datetime(),
    strategy: z.enum(strategies),
    choices: z.int().describe('Of many the newest five thousand'),
    same: z.int().describe('Those that go to the same person again'),
    sigma: z
      .object({ then: z.number(), now: z.number() })
      .describe('How unevenly the choices lie on all who could have had one'),
  })
  .meta({ id: 'AssignmentReplay' });
export type ReplayView = z.infer<typeof replayView>;
