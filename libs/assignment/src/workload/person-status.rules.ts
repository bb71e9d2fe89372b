import type { Absence } from '../resolver/availability.rules.js';

export const personStatuses = ['leave', 'unavailable', 'working', 'paused', 'available'] as const;
export type PersonStatus = (typeof personStatuses)[number];

/** What a screen says of somebody: the first that holds, leave before all else. */
export function statusOf(
  presence: { readonly available: boolean; readonly reason: Absence | null },
  session: { readonly status: 'active' | 'paused' } | undefined,
): PersonStatus {
  if (!presence.available) return presence.reason === 'leave' ? 'leave' : 'unavailable';
  if (session === undefined) return 'available';
  return session.status === 'active' ? 'working' : 'paused';
}
