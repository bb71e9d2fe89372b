import type { Grant } from '@belay/platform';

/** Indexes of the scopes that an account with these grants does not have itself at the token's site. */
export function beyond(scopes: readonly string[], siteId: string | null, grants: readonly Grant[]): number[] {
  return scopes.flatMap((scope, index) => {
    const held = grants.some(
      (grant) => grant.permission === scope && (siteId === null || grant.siteId === null || grant.siteId === siteId),
    );
    return held ? [] : [index];
  });
}
