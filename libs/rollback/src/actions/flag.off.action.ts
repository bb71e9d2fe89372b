import { z } from 'zod';
import { defineAction } from '../engine/actions.js';
import { inspectFlag, restoreFlag, switchFlag, verifyFlag } from './flag-state.service.js';
import { overlayScope, overrideOf } from './override.queries.js';

/**
 * Switches a flag off in the overlay. One that is off already stays whose it is: undoing this run does not switch it on.
 */
export const flagOff = defineAction({
  name: 'flag.off',
  version: 1,
  input: z.strictObject({ flag: z.string().min(1) }),
  critical: true,
  destructive: false,
  effect: true,
  timeoutS: 30,
  retries: { attempts: 1, when: () => false },
  emergency: 'must',
  compensated: false,

  inspect: (context, { flag }) => inspectFlag(context, flag),

  async preview(context, { flag }) {
    const { override } = await inspectFlag(context, flag);
    return {
      changes: [`control.override_flag('${overlayScope(context)}', '${flag}', off => true)`],
      estimatedMs: 200,
      lock: 'row',
      rows: 1,
      reversible: true,
      notes: isOff(override) ? [`${flag} is off already, and stays with whoever switched it off`] : [],
    };
  },

  execute: (context, { flag }) => switchFlag(context, flag, true, (present) => present?.off !== true),
  verify: (context, { flag }, done) => verifyFlag(context, flag, true, done),
  compensate: (context, { flag }, done) => restoreFlag(context, flag, done),

  async reconcile(context, { flag }) {
    const present = await overrideOf(context.world.control, overlayScope(context), flag);
    if (present?.off !== true) return { effect: 'not-done' };
    return { effect: 'done', result: { flag, changed: present.runId === context.runId, seq: present.seq } };
  },
});

function isOff(override: unknown): boolean {
  return z.object({ off: z.literal(true) }).safeParse(override).success;
}
