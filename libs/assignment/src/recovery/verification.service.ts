import type { RecoveryContext, RecoveryFinding, RecoveryMarker, RecoveryOutcome } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { invariants } from './invariant.queries.js';
import { fingerprintSql, recoveredTables } from './recovered-table.rules.js';
import { inUtc, logExtent } from './recovered-rows.queries.js';

const MOST_SAMPLES = 10;

const fingerprint = z.object({ rows: z.number(), hash: z.string() });
const facts = z.object({
  log: z.object({ entries: z.string(), last: z.string() }),
  tables: z.record(z.string(), fingerprint),
});
type Facts = z.infer<typeof facts>;

/** How much there is of everything, and what it says: enough to know later whether it is the same again. */
export async function markAssignment({ tx }: RecoveryContext): Promise<Facts> {
  return factsOf(tx, null, undefined);
}

/** Every invariant, every table against what it was at the marker, and that nothing that was logged is gone. */
export async function verifyAssignment(
  { tx }: RecoveryContext,
  marker: RecoveryMarker,
  outcome?: RecoveryOutcome,
): Promise<RecoveryFinding[]> {
  const checks: RecoveryFinding[] = [];
  for (const { name, severity, find } of invariants) {
    const violations = await find(tx, MOST_SAMPLES);
    checks.push({
      name: `check ${name}`,
      severity,
      outcome: violations.length === 0 ? 'passed' : 'failed',
      evidence: { violations },
    });
  }
  const before = facts.safeParse(marker.facts);
  if (!before.success) {
    const evidence = { reason: 'The marker does not say what there was' };
    return [...checks, { name: 'equal to the marker', severity: 'critical', outcome: 'inconclusive', evidence }];
  }
  const now = await factsOf(tx, before.data.log.last, outcome);
  return [
    ...checks,
    same('the log is whole', 'critical', before.data.log, now.log),
    ...Object.entries(before.data.tables).map(([table, then]) =>
      same(`${table} equals the marker`, 'high', then, now.tables[table]),
    ),
  ];
}

function same(name: string, severity: 'critical' | 'high', then: object, now: object | undefined): RecoveryFinding {
  const equal = JSON.stringify(then) === JSON.stringify(now);
  return { name, severity, outcome: equal ? 'passed' : 'failed', evidence: { then, now: now ?? null } };
}

async function factsOf(
  tx: EntityManager,
  logUntil: string | null,
  outcome: RecoveryOutcome | undefined,
): Promise<Facts> {
  // Times are part of the rows, and are written in the zone of the session.
  await inUtc(tx, []);
  const [log = { entries: '0', last: '0' }] = await logExtent(tx, [logUntil]);
  const tables: Record<string, z.infer<typeof fingerprint>> = {};
  for (const table of recoveredTables) {
    const name = `assignment.${table.name}`;
    const kept = (outcome?.kept ?? []).filter((one) => one.table === name).map(({ record }) => JSON.stringify(record));
    const [found] = z.array(fingerprint).parse(await tx.query(fingerprintSql(table), [kept]));
    if (!found) throw new Error(`${name} has no fingerprint`);
    tables[name] = found;
  }
  return { log, tables };
}
