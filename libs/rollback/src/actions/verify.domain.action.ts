import { z } from 'zod';
import { defineAction } from '../engine/actions.js';
import { verifyDomainState } from './domain-look.service.js';

const input = z.strictObject({
  domain: z.string(),
  /** Null: as the overlay and the processes say it is. */
  expect: z.enum(['off', 'on']).nullable().default(null),
});

/** Looks at a domain from outside: its routes, its jobs, its rows, and what its manifest says always holds. */
export const verifyDomain = defineAction({
  name: 'verify.domain',
  version: 1,
  input,
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
  verify: (context, { domain, expect }) => verifyDomainState(context, domain, expect),
  compensate: () => Promise.resolve({}),
  reconcile: () => Promise.resolve({ effect: 'done', result: {} }),
});
