import { z } from 'zod';
import { defineAction } from '../engine/actions.js';
import { minimumChecks } from './minimum-check.service.js';

/** The five minimum checks after anything was taken back. */
export const verifyAll = defineAction({
  name: 'verify.all',
  version: 1,
  input: z.strictObject({}),
  critical: true,
  destructive: false,
  effect: false,
  timeoutS: 300,
  retries: { attempts: 1, when: () => false },
  emergency: 'must',
  compensated: false,
  inspect: () => Promise.resolve({}),
  preview: () =>
    Promise.resolve({ changes: [], estimatedMs: 2_000, lock: 'none', rows: 0, reversible: true, notes: [] }),
  execute: () => Promise.resolve({}),
  verify: (context) => minimumChecks(context),
  compensate: () => Promise.resolve({}),
  reconcile: () => Promise.resolve({ effect: 'done', result: {} }),
});
