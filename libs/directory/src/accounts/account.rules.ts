import type { Caller } from '@belay/platform';

/** Where an account belongs: the sites of its roles and teams, or everywhere by a role that is not bound to a site. */
export interface Places {
  readonly everywhere: boolean;
  readonly sites: readonly string[];
}

/** Whether the caller holds the permission at a site the account belongs to. */
export function reaches(by: Caller, permission: string, places: Places): boolean {
  const held = by.sitesFor(permission);
  if (held === 'all') return true;
  return places.everywhere ? held.length > 0 : places.sites.some((site) => held.includes(site));
}

/**
 * Whether the caller holds the permission everywhere the account belongs. Anything that decides how an account proves
 * itself or what it may needs this: who rules one site must not reach another through an account that works in both.
 */
export function governs(by: Caller, permission: string, places: Places): boolean {
  const held = by.sitesFor(permission);
  if (held === 'all') return true;
  return !places.everywhere && places.sites.length > 0 && places.sites.every((site) => held.includes(site));
}
