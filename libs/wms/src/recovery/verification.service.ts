import type { RecoveryContext, RecoveryFinding, RecoveryMarker, RecoveryOutcome } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { runChecks } from '../integrity/check.service.js';
import { keptOf } from './compensation.service.js';
import { fingerprintSql, recoveredTables, type RecoveredTable } from './recovered-table.rules.js';
import { decisionFingerprint, inUtc, stockFingerprint } from './recovery.queries.js';

const fingerprint = z.object({ rows: z.number(), hash: z.string() });
const facts = z.object({
  stock: z.object({
    buckets: z.number(),
    units: z.string(),
    hash: z.string(),
    seq: z.string(),
    lastReconLine: z.string(),
  }),
  decisions: fingerprint,
  tables: z.record(z.string(), fingerprint),
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
  if (!before.success) {
    const evidence = { reason: 'The marker does not say what there was' };
    return [...checks, { name: 'equal to the marker', severity: 'critical', outcome: 'inconclusive', evidence }];
  }
  const now = await factsOf(tx, before.data.stock.lastReconLine, outcome);
  return [
    ...checks,
    same('stock equals the marker', 'critical', stockOf(before.data), stockOf(now)),
    same('decisions equal the marker', 'high', before.data.decisions, now.decisions),
    ...Object.entries(before.data.tables).map(([table, then]) =>
      same(`${table} equals the marker`, 'high', then, now.tables[table]),
    ),
  ];
}

function stockOf({ stock: { buckets, units, hash } }: Facts) {
  return { buckets, units, hash };
}

function same(name: string, severity: 'critical' | 'high', then: object, now: object | undefined): RecoveryFinding {
  const equal = JSON.stringify(then) === JSON.stringify(now);
  return { name, severity, outcome: equal ? 'passed' : 'failed', evidence: { then, now: now ?? null } };
}

async function factsOf(
  tx: EntityManager,
  lastReconLine: string | undefined,
  outcome: RecoveryOutcome | undefined,
): Promise<Facts> {
  // Times are part of the rows, and are written in the zone of the session.
  await inUtc(tx, []);
  const [stock = { buckets: 0, units: '0', hash: '0', seq: '0', lastReconLine: '0' }] = await stockFingerprint(tx, []);
  const [decisions = { rows: 0, hash: '0' }] = await decisionFingerprint(tx, [lastReconLine ?? stock.lastReconLine]);
  const tables: Record<string, z.infer<typeof fingerprint>> = {};
  for (const table of compared) tables[`wms.${table.name}`] = await fingerprintOf(tx, table, outcome);
  return { stock, decisions, tables };
}

async function fingerprintOf(
  tx: EntityManager,
  table: RecoveredTable,
  outcome: RecoveryOutcome | undefined,
): Promise<z.infer<typeof fingerprint>> {
  const kept = outcome ? keptOf(outcome, `wms.${table.name}`) : [];
  const [found] = z.array(fingerprint).parse(await tx.query(fingerprintSql(table), [kept]));
  if (!found) throw new Error(`wms.${table.name} has no fingerprint`);
  return found;
}
