import { defineAction } from '../engine/actions.js';
import {
  checkPurge,
  keptOf,
  purge as purgeKept,
  purgeInput,
  reconcilePurge,
  refusePurgedBack,
  statementsOf,
  verifyPurge,
} from './purge.service.js';
import { whenCutOff } from './schema-move.service.js';

/** The only thing that drops: what was parked long enough, when a backup that was proven since has it. */
export const purge = defineAction({
  name: 'purge',
  version: 1,
  input: purgeInput,
  critical: true,
  destructive: true,
  effect: true,
  timeoutS: 600,
  retries: whenCutOff,
  emergency: 'never',
  compensated: false,

  async inspect({ world }, input) {
    const going = await keptOf(world, input);
    const kept = going.map(({ kind, object, since, due }) => {
      return { kind, object, since: since.toISOString(), due: due.toISOString() };
    });
    return { domain: input.domain, kept };
  },

  async preview({ world }, input) {
    const going = await keptOf(world, input);
    const proof = await checkPurge(world, input, going).then(
      () => 'A proven backup from after it was parked has it',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    return {
      changes: statementsOf(input.domain, going),
      estimatedMs: 1_000,
      lock: 'access-exclusive',
      rows: 0,
      reversible: false,
      notes: [proof],
    };
  },

  execute: (context, input) => purgeKept(context, input),
  verify: (context, input) => verifyPurge(context, input),
  compensate: (context, input, done) => refusePurgedBack(context, input, done),
  reconcile: (context, input) => reconcilePurge(context, input),
});
