import type { Domain } from '@belay/platform';
import { gatesOf } from './domain-order.rules.js';
import type { StepWish } from './plan-step.rules.js';

/** The steps that plans are made of, one function each, so that every planner names and fills them alike. */

export const flagOff = (flag: string, domain: string | null): StepWish => ({
  key: `off:${flag}`,
  action: 'flag.off',
  domain,
  input: { flag },
});

export const jobsStop = (domain: string): StepWish => ({
  key: `stop:${domain}`,
  action: 'jobs.stop',
  domain,
  input: { domain },
});

export const jobsStart = (domain: string): StepWish => ({
  key: `start:${domain}`,
  action: 'jobs.start',
  domain,
  input: { domain },
});

export const marker = (name: string): StepWish => ({
  key: 'marker',
  action: 'marker.create',
  domain: null,
  input: { name },
});

/** A backup of the domains, or of everything, and the proof of it. */
export const backup = (scope: readonly string[] | 'application', level: number): readonly StepWish[] => [
  {
    key: 'backup',
    action: 'backup.create',
    domain: null,
    input: typeof scope === 'string' ? { scope } : { domains: [...scope] },
  },
  { key: 'prove', action: 'backup.verify', domain: null, input: { level } },
];

export const migrationDown = (domain: string): StepWish => ({
  key: `down:${domain}`,
  action: 'migration.down',
  domain,
  input: { domain },
});

export const migrationUp = (domain: string): StepWish => ({
  key: `up:${domain}`,
  action: 'migration.up',
  domain,
  input: { domain },
});

/** A migration step about one feature alone. */
export const ofFeature = (wish: StepWish, feature: string, only: readonly string[]): StepWish => ({
  ...wish,
  key: `${wish.key}:${feature}`,
  input: { ...wish.input, only: [...only], feature },
});

/** Without an expectation it is looked at as what the overlay says it is. */
export const verifyDomain = (domain: string, expect?: 'off' | 'on'): StepWish => ({
  key: `verify:${domain}`,
  action: 'verify.domain',
  domain,
  input: { domain, ...(expect && { expect }) },
});

export const verifyAll: StepWish = { key: 'verify', action: 'verify.all', domain: null, input: {} };

/** Off means: every flag that could keep the domain there is off. */
export const gatesOff = (domain: Domain): readonly StepWish[] =>
  gatesOf(domain).map((flag) => flagOff(flag, domain.name));

/** Flags first, jobs second; those that depend on others before those. */
export const switchOff = (going: readonly Domain[]): readonly StepWish[] => [
  ...going.flatMap(gatesOff),
  ...going.filter((domain) => gatesOf(domain).length > 0).map(({ name }) => jobsStop(name)),
];
