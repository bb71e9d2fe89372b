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
    coverage: z
      .object({
        decisions: z.int().describe('Without those that a full limit held up: they are decided when they are let in'),
        then: z.number().nullable().describe('Share of them that gave the work to somebody, or to a team'),
        now: z.number().nullable().describe('With those that were only logged; a strategy finds nobody else'),
      })
      .describe('Of the whole span'),
    wait: z.object({
      queued: z
        .object({ tokens: z.int(), minutes: z.number().nullable() })
        .describe('Tokens that were let in after they had queued, and how long they had on average, as logged'),
      backlog: z
        .object({ known: z.int(), then: z.number().nullable(), now: z.number().nullable() })
        .describe(
          'Mean minutes until whoever was chosen would come to it, by one strategy and the other, if they did their choices ' +
            'one after the other and each in their usual time; only of choices where that was known. The log does not ' +
            'hold what else they had to do, when they paused, or when a limit would have let somebody in',
        ),
    }),
  })
  .meta({ id: 'AssignmentReplay' });
export type ReplayView = z.infer<typeof replayView>;
