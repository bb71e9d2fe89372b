import { z } from 'zod';
import { defineAction } from '../engine/actions.js';
import { hasJobs, inspectJobs, isStopped, restoreJobs, stopJobs, verifyStopped } from './job-state.service.js';

const input = z.strictObject({ domain: z.string(), drainS: z.number().min(0).max(600).default(30) });

/** Lets no job of a domain begin, and those that run end or stop. What is queued stays. */
export const jobsStop = defineAction({
  name: 'jobs.stop',
  version: 1,
  input,
  critical: true,
  destructive: false,
  effect: true,
  timeoutS: 90,
  retries: { attempts: 2, when: () => true },
  emergency: 'must',
  compensated: false,

  inspect: (context, { domain }) => inspectJobs(context, domain),

  async preview(context, { domain, drainS }) {
    const present = await inspectJobs(context, domain);
    const changes = present['queue'] === 'open' ? [`pause the queue ${domain}, and wait for its jobs`] : [];
    const notes = [`jobs that have not ended after ${drainS} s are told to stop, and put back when they do`];
    return { changes, estimatedMs: 1_000, lock: 'none', rows: 0, reversible: true, notes };
  },

  execute: (context, { domain, drainS }) => stopJobs(context, domain, drainS),
  verify: (context, { domain }) => verifyStopped(context, domain),
  compensate: (context, { domain }, done) => restoreJobs(context, domain, done),

  async reconcile(context, { domain }) {
    if (!hasJobs(context.world, domain)) return { effect: 'done', result: { domain, queue: 'none', stuck: [] } };
    if (!(await isStopped(context, domain))) return { effect: 'not-done' };
    return { effect: 'done', result: { domain, queue: 'paused', stuck: [], aborted: false } };
  },
});
