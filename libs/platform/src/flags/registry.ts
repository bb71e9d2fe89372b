import type { Domain } from '../domain/domain.js';

/** On: every gated domain and feature is off, except those that show the way back. */
export const EMERGENCY_ROLLBACK = 'emergency_rollback';

/** Exists in the overlay only; killed: every write is refused and reads go on. */
export const PLATFORM_WRITES = 'platform_writes';

/** Exists in the overlay only; killed: whatever runs of the domain's jobs gets the abort signal, in every worker. */
export function abortJobs(domain: string): string {
  return `abort_jobs:${domain}`;
}

export interface RegisteredFlag {
  readonly flag: string;
  readonly title: string;
  readonly defaultOn: boolean;
  readonly domain: Domain;
  /** Whether it is the flag of a feature, not of the domain itself. */
  readonly feature: boolean;
}

/** Every flag that the domains of the release have, in their order. Throws when two have the same. */
export function registeredFlags(domains: readonly Domain[]): readonly RegisteredFlag[] {
  const flags = domains.flatMap((domain) => {
    const own = domain.flag === undefined ? [] : [{ ...domain, flag: domain.flag, feature: false }];
    const features = domain.features.map((feature) => ({ ...feature, feature: true }));
    return [...own, ...features].map(({ flag, title, defaultOn = false, feature }) => {
      return { flag, title, defaultOn, domain, feature };
    });
  });
  const names = flags.map(({ flag }) => flag);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Two domains or features have the flag ${twice}`);
  return flags;
}
