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
import { runChecks } from '../integrity/check.service.js';
import { recoveredTables } from './recovered-table.rules.js';
import { decisionFingerprint, stockFingerprint } from './recovery.queries.js';

const facts = z.object({
  stock: z.object({
    buckets: z.number(),
    units: z.string(),
    hash: z.string(),
    seq: z.string(),
    lastReconLine: z.string(),
  }),
  decisions: tableFingerprint,
  tables: z.record(z.string(), tableFingerprint),
});
type Facts = z.infer<typeof facts>;

/** Reconciled anew, and run anew: those two are compared by what people decided, not by their rows. */
const compared = recoveredTables.filter(({ name }) => name !== 'storage_ledger' && name !== 'recon_line');

/** How much there is of everything, and what it says: enough to know later whether it is the same again. */
export async function markWarehouse({ tx }: RecoveryContext): Promise<Facts> {
  return factsOf(tx, undefined, undefined);
}

/** Every integrity check, and every table and bucket against what they were at the marker. */
export async function verifyWarehouse(
  { tx }: RecoveryContext,
  marker: RecoveryMarker,
  outcome?: RecoveryOutcome,
): Promise<RecoveryFinding[]> {
  const checks = (await runChecks(tx)).map(({ name, severity, outcome: result, violations, sample, note }) => ({
    name: `check ${name}`,
    severity,
    outcome: result,
    evidence: { violations, sample, note },
  }));
  const before = facts.safeParse(marker.facts);
  if (!before.success) return [...checks, markerUnreadable];
  const now = await factsOf(tx, before.data.stock.lastReconLine, outcome);
  return [
    ...checks,
    sameAsMarker('stock equals the marker', 'critical', stockOf(before.data), stockOf(now)),
    sameAsMarker('decisions equal the marker', 'high', before.data.decisions, now.decisions),
    ...tablesSameAsMarker(before.data.tables, now.tables),
  ];
}

function stockOf({ stock: { buckets, units, hash } }: Facts) {
  return { buckets, units, hash };
}

async function factsOf(
  tx: EntityManager,
  lastReconLine: string | undefined,
  outcome: RecoveryOutcome | undefined,
): Promise<Facts> {
  await inUtc(tx, []);
  const [stock = { buckets: 0, units: '0', hash: '0', seq: '0', lastReconLine: '0' }] = await stockFingerprint(tx, []);
  const [decisions = { rows: 0, hash: '0' }] = await decisionFingerprint(tx, [lastReconLine ?? stock.lastReconLine]);
  return { stock, decisions, tables: await fingerprintsOf(tx, 'wms', compared, outcome) };
}
