import { z } from 'zod';
import type { Evidence, StepContext } from '../engine/action.js';
import { defineAction } from '../engine/actions.js';
import { checkFlag, verifyFlag } from './flag-state.service.js';
import { overlayScope, overrideOf } from './override.queries.js';

const input = z.strictObject({ off: z.array(z.string()).default([]), lifted: z.array(z.string()).default([]) });

/** Looks whether the flags are as they should be in every live process. */
export const verifyFlags = defineAction({
  name: 'verify.flags',
  version: 1,
  input,
  critical: true,
  destructive: false,
  effect: false,
  timeoutS: 30,
  retries: { attempts: 1, when: () => false },
  emergency: 'must',
  compensated: false,

  async inspect(context, { off, lifted }) {
    const overrides = [];
    for (const flag of [...off, ...lifted]) {
      checkFlag(context, flag);
      overrides.push({ flag, override: await overrideOf(context.world.control, overlayScope(context), flag) });
    }
    return { overrides };
  },

  preview: () => Promise.resolve({ changes: [], estimatedMs: 200, lock: 'none', rows: 0, reversible: true, notes: [] }),

  execute: () => Promise.resolve({}),
  verify: (context, wanted) => lookAtFlags(context, wanted),
  compensate: () => Promise.resolve({}),
  reconcile: () => Promise.resolve({ effect: 'done', result: {} }),
});

async function lookAtFlags(context: StepContext, { off, lifted }: z.infer<typeof input>): Promise<Evidence> {
  const nothing = { before: {}, result: null };
  const found = await Promise.all([
    ...off.map(async (flag) => ({ flag, ...(await verifyFlag(context, flag, true, nothing)) })),
    ...lifted.map(async (flag) => ({ flag, ...(await verifyFlag(context, flag, false, nothing)) })),
  ]);
  const outcome = found.some((one) => one.outcome === 'fail')
    ? 'fail'
    : found.some((one) => one.outcome === 'inconclusive')
      ? 'inconclusive'
      : 'pass';
  return { outcome, facts: { flags: found.map((one) => ({ ...one, facts: one.facts })) } };
}
