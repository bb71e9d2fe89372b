import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { statement } from '../database/statement.js';
import type { RecoveredTable } from './recovered-schema.js';
import type { RecoveryFinding, RecoveryOutcome } from './recovery.js';

/** How many rows there are, and what they say as one number. */
export const tableFingerprint = z.object({ rows: z.number(), hash: z.string() });
type Fingerprint = z.infer<typeof tableFingerprint>;

/** Until the transaction ends. Times are part of the rows, and are written in the zone of the session. */
export const inUtc = statement('platform.recovery_in_utc', `SELECT set_config('TimeZone', 'UTC', true)`);

/** By qualified name, whatever the order of the rows; those that the outcome kept are left out. `inUtc` comes first. */
export async function fingerprintsOf(
  tx: EntityManager,
  schema: string,
  tables: readonly RecoveredTable[],
  outcome: RecoveryOutcome | undefined,
): Promise<Record<string, Fingerprint>> {
  const taken: Record<string, Fingerprint> = {};
  for (const table of tables) {
    const name = `${schema}.${table.name}`;
    const kept = (outcome?.kept ?? []).filter((one) => one.table === name).map(({ record }) => JSON.stringify(record));
    const [found] = z.array(tableFingerprint).parse(await tx.query(fingerprintSql(schema, table), [kept]));
    if (!found) throw new Error(`${name} has no fingerprint`);
    taken[name] = found;
  }
  return taken;
}

/** What to say where the facts of a marker cannot be read. */
export const markerUnreadable: RecoveryFinding = {
  name: 'equal to the marker',
  severity: 'critical',
  outcome: 'inconclusive',
  evidence: { reason: 'The marker does not say what there was' },
};

/** Passed when both say the same, in the same order. */
export function sameAsMarker(
  name: string,
  severity: RecoveryFinding['severity'],
  then: object,
  now: object | undefined,
): RecoveryFinding {
  const equal = JSON.stringify(then) === JSON.stringify(now);
  return { name, severity, outcome: equal ? 'passed' : 'failed', evidence: { then, now: now ?? null } };
}

/** One finding for each table that the marker knows. */
export function tablesSameAsMarker(
  then: Readonly<Record<string, Fingerprint>>,
  now: Readonly<Record<string, Fingerprint>>,
): RecoveryFinding[] {
  return Object.entries(then).map(([table, before]) =>
    sameAsMarker(`${table} equals the marker`, 'high', before, now[table]),
  );
}

/** Versions and times of the last change tell of every touch, so they are left out. `$1` has the keys of kept rows. */
function fingerprintSql(schema: string, { name, key }: RecoveredTable): string {
  const record = key.map((column) => `'${column}', t."${column}"`).join(', ');
  return `SELECT count(*)::integer AS rows,
      coalesce(sum(hashtextextended((to_jsonb(t) - 'row_version' - 'updated_at')::text, 0)), 0)::text AS hash
    FROM ${schema}."${name}" t WHERE NOT jsonb_build_object(${record}) = ANY ($1::jsonb[])`;
}
