import { z } from 'zod';
import { defineAction } from '../engine/actions.js';
import { hasJobs, inspectJobs, restoreJobs, startJobs, verifyStarted } from './job-state.service.js';

/** Opens the queue of a domain again; its crons come back with its module. */
export const jobsStart = defineAction({
  name: 'jobs.start',
  version: 1,
  input: z.strictObject({ domain: z.string() }),
  critical: true,
  destructive: false,
  effect: true,
  timeoutS: 30,
  retries: { attempts: 2, when: () => true },
  emergency: 'must',
  compensated: true,

  inspect: (context, { domain }) => inspectJobs(context, domain),

  async preview(context, { domain }) {
    const present = await inspectJobs(context, domain);
    const changes = present['queue'] === 'paused' ? [`resume the queue ${domain}`] : [];
    return { changes, estimatedMs: 100, lock: 'none', rows: 0, reversible: true, notes: [] };
  },

  execute: (context, { domain }) => startJobs(context, domain),
  verify: (context, { domain }) => verifyStarted(context, domain),
  compensate: (context, { domain }, done) => restoreJobs(context, domain, done),

  async reconcile(context, { domain }) {
    if (!hasJobs(context.world, domain)) return { effect: 'done', result: { domain, queue: 'none' } };
    const { queue } = await inspectJobs(context, domain);
    return queue === 'paused' ? { effect: 'not-done' } : { effect: 'done', result: { domain, queue: 'open' } };
  },
});
