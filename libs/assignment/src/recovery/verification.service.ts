import {
  fingerprintsOf,
  inUtc,
  markerUnreadable,
  sameAsMarker,
  tableFingerprint,
  tablesSameAsMarker,
  type RecoveryContext,
  type RecoveryFinding,
  type RecoveryMarker,
  type RecoveryOutcome,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { invariants } from './invariant.queries.js';
import { recoveredTables } from './recovered-table.rules.js';
import { logExtent } from './recovered-rows.queries.js';

const MOST_SAMPLES = 10;

const facts = z.object({
  log: z.object({ entries: z.string(), last: z.string() }),
  tables: z.record(z.string(), tableFingerprint),
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
  if (!before.success) return [...checks, markerUnreadable];
  const now = await factsOf(tx, before.data.log.last, outcome);
  return [
    ...checks,
    sameAsMarker('the log is whole', 'critical', before.data.log, now.log),
    ...tablesSameAsMarker(before.data.tables, now.tables),
  ];
}

async function factsOf(
  tx: EntityManager,
  logUntil: string | null,
  outcome: RecoveryOutcome | undefined,
): Promise<Facts> {
  await inUtc(tx, []);
  const [log = { entries: '0', last: '0' }] = await logExtent(tx, [logUntil]);
  return { log, tables: await fingerprintsOf(tx, 'assignment', recoveredTables, outcome) };
}
