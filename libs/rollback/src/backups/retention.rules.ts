import type { BackupRecord } from './backup.queries.js';

type Kept = Pick<BackupRecord, 'id' | 'scope' | 'state' | 'createdAt'> & { readonly domains: readonly string[] };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const retention = { hours: 48, daily: 30, monthly: 12, proven: 3 };

/**
 * Which backups are no longer needed. Of each scope everything of the last 48 hours stays, then the newest of each of 30
 * days and of each of 12 months, and always the last 3 that were proven, however old. What is being made, is broken or
 * has expired is somebody else's business.
 */
export function expiredOf(backups: readonly Kept[], now: Date): readonly string[] {
  const scopes = new Map<string, Kept[]>();
  for (const backup of backups.filter(({ state }) => !['creating', 'broken', 'expired'].includes(state))) {
    const scope = [backup.scope, ...[...backup.domains].sort()].join(' ');
    scopes.set(scope, [...(scopes.get(scope) ?? []), backup]);
  }
  return [...scopes.values()].flatMap((ofScope) => {
    const kept = keptOf(ofScope, now);
    return ofScope.filter(({ id }) => !kept.has(id)).map(({ id }) => id);
  });
}

function keptOf(backups: readonly Kept[], now: Date): ReadonlySet<string> {
  const newestFirst = [...backups].sort((one, other) => other.createdAt.getTime() - one.createdAt.getTime());
  const age = ({ createdAt }: Kept) => now.getTime() - createdAt.getTime();
  const newest = (period: (backup: Kept) => string, most: number) => {
    const first = new Map<string, string>();
    for (const backup of newestFirst) if (!first.has(period(backup))) first.set(period(backup), backup.id);
    return [...first.values()].slice(0, most);
  };
  const recent = newestFirst.filter((backup) => age(backup) <= retention.hours * HOUR_MS).map(({ id }) => id);
  const lastDays = newestFirst.filter((backup) => age(backup) <= retention.daily * DAY_MS);
  const daily = newest(({ createdAt }) => createdAt.toISOString().slice(0, 10), retention.daily).filter((id) =>
    lastDays.some((backup) => backup.id === id),
  );
  const monthly = newest(({ createdAt }) => createdAt.toISOString().slice(0, 7), retention.monthly).filter((id) => {
    const found = newestFirst.find((backup) => backup.id === id);
    return found !== undefined && age(found) <= 366 * DAY_MS;
  });
  const proven = newestFirst.filter(({ state }) => state === 'proven').slice(0, retention.proven);
  return new Set([...recent, ...daily, ...monthly, ...proven.map(({ id }) => id)]);
}
