import { z } from 'zod';
import { StepWaits } from '../engine/action.js';
import { defineAction } from '../engine/actions.js';
import { OnlyByHand } from '../rollback.problems.js';

const input = z.strictObject({
  what: z.string().min(1),
  /** As it is typed, when it is a command. */
  command: z.string().nullable().default(null),
});

const confirmed = z.object({ by: z.string() });

/** Something that only a person can do: the run waits until one says that it is done. */
export const manualCommand = defineAction({
  name: 'manual.command',
  version: 1,
  input,
  critical: true,
  destructive: false,
  effect: true,
  timeoutS: 86_400,
  retries: { attempts: 1, when: () => false },
  emergency: 'may',
  compensated: true,

  inspect: () => Promise.resolve({}),

  preview: (_, { what, command }) =>
    Promise.resolve({
      changes: [what, ...(command === null ? [] : [command])],
      estimatedMs: 60_000,
      lock: 'none',
      rows: 0,
      reversible: true,
      notes: ['A person does this and confirms it'],
    }),

  execute({ confirmed: said }, { what, command }) {
    if (!said) throw new StepWaits('human', { what, command });
    return Promise.resolve({ what, by: said.by, at: said.at, facts: said.facts });
  },

  verify: (_, { what }, { result }) => {
    const by = confirmed.safeParse(result).data?.by ?? null;
    return Promise.resolve({ outcome: by === null ? 'inconclusive' : 'pass', facts: { what, by } });
  },

  // Nobody but a person can take it back, so that it stays in the list of what remains.
  compensate(_, { what }, { result }) {
    if (result !== null) throw new OnlyByHand(what);
    return Promise.resolve({});
  },

  reconcile: () => Promise.resolve({ effect: 'not-done' }),
});
