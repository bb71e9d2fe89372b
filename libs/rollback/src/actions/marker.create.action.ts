import { z } from 'zod';
import { defineAction } from '../engine/actions.js';
import { idOf, markerOf, writeMarker } from './marker.service.js';

/** Remembers a point that rows can be taken back to: which transactions were visible, and what the domains say of themselves. */
export const markerCreate = defineAction({
  name: 'marker.create',
  version: 1,
  input: z.strictObject({ name: z.string().min(1).max(200) }),
  critical: false,
  destructive: false,
  effect: true,
  timeoutS: 120,
  retries: { attempts: 3, when: () => true },
  emergency: 'may',
  compensated: false,

  inspect: () => Promise.resolve({}),

  preview: (_, { name }) =>
    Promise.resolve({
      changes: [`INSERT INTO control.marker: ${name}`],
      estimatedMs: 500,
      lock: 'none',
      rows: 1,
      reversible: true,
      notes: [],
    }),

  execute: (context, { name }) => writeMarker(context, idOf(context.stepKey), name),

  async verify({ world, stepKey }) {
    const found = await markerOf(world, idOf(stepKey));
    return { outcome: found ? 'pass' : 'fail', facts: found ?? { id: idOf(stepKey) } };
  },

  // A point in time that somebody remembers harms nobody.
  compensate: ({ stepKey }) => Promise.resolve({ kept: idOf(stepKey) }),

  async reconcile({ world, stepKey }) {
    const found = await markerOf(world, idOf(stepKey));
    return found ? { effect: 'done', result: found } : { effect: 'not-done' };
  },
});
