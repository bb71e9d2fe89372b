import { z } from 'zod';
import type { StepContext } from '../engine/action.js';
import { defineAction } from '../engine/actions.js';
import { inspectFlag, restoreFlag, switchFlag, verifyFlag } from './flag-state.service.js';
import { overlayScope, overrideOf, type Override } from './override.queries.js';

const input = z.strictObject({
  flag: z.string().min(1),
  /** The run whose override is lifted; another's stays. */
  ofRun: z.uuid().nullable().default(null),
});

/** Takes an override away. It never makes a flag true: what is on afterwards is what the flag's source says. */
export const flagLift = defineAction({
  name: 'flag.lift',
  version: 1,
  input,
  critical: true,
  destructive: false,
  effect: true,
  timeoutS: 30,
  retries: { attempts: 1, when: () => false },
  emergency: 'must',
  compensated: true,

  inspect: (context, { flag }) => inspectFlag(context, flag),

  async preview(context, wanted) {
    const present = await overrideOf(context.world.control, overlayScope(context), wanted.flag);
    return {
      changes: mayLift(context, present, wanted)
        ? [`control.override_flag('${overlayScope(context)}', '${wanted.flag}', off => false)`]
        : [],
      estimatedMs: 200,
      lock: 'row',
      rows: 1,
      reversible: true,
      notes:
        present?.off === true && !mayLift(context, present, wanted)
          ? [`${present.actor} switched it off, not that run`]
          : [],
    };
  },

  execute: (context, wanted) => switchFlag(context, wanted.flag, false, (present) => mayLift(context, present, wanted)),

  async verify(context, wanted, done) {
    const present = await overrideOf(context.world.control, overlayScope(context), wanted.flag);
    if (present?.off === true && !mayLift(context, present, wanted) && present.runId !== context.runId)
      return { outcome: 'pass', facts: { override: present, left: 'another has switched it off' } };
    return verifyFlag(context, wanted.flag, false, done);
  },

  compensate: (context, { flag }, done) => restoreFlag(context, flag, done),

  async reconcile(context, wanted) {
    const present = await overrideOf(context.world.control, overlayScope(context), wanted.flag);
    if (mayLift(context, present, wanted)) return { effect: 'not-done' };
    const changed = present?.runId === context.runId;
    return { effect: 'done', result: { flag: wanted.flag, changed, seq: present?.seq ?? '0' } };
  },
});

/** What the lifting run has itself switched off meanwhile is its own as well. */
function mayLift({ runId }: StepContext, present: Override | null, { ofRun }: z.infer<typeof input>): boolean {
  return present?.off === true && (ofRun === null || [ofRun, runId].includes(present.runId ?? ''));
}
