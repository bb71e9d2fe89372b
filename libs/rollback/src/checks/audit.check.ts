import { AuditTrail } from '@belay/platform';
import type pg from 'pg';
import { passed, refused, type SafetyCheck } from './check.js';

/** How much of the chain is walked each time; a full walk is `belay audit verify`. */
const WALKED = 1_000;

/** S02: what is about to be done can be written down, behind a chain that nobody has tampered with. */
export const auditCheck: SafetyCheck = {
  id: 'S02',
  title: 'The audit trail is whole and can be written',
  severity: 'critical',
  phases: ['plan', 'start', 'step'],
  applies: () => true,

  async run({ world, plan, planId }) {
    const trail = new AuditTrail(world.control);
    const { rows } = await world.control.query<{ seq: string }>(`SELECT seq FROM control.audit_head`);
    const head = Number(rows[0]?.seq ?? 0);
    const { broken, entries } = await trail.verify({ from: Math.max(1, head - WALKED + 1) });
    const writable = await tryAppend(world.control, trail, planId, plan.author).catch((error: unknown) => error);
    const measured = {
      entries,
      broken: broken ? { seq: broken.seq, reason: broken.reason } : null,
      writable: writable === undefined,
    };
    const threshold = { broken: null, writable: true };
    if (!broken && writable === undefined) return passed(measured, threshold, { head });
    // An emergency is written to a local file then, and merged later.
    if (plan.target.kind === 'emergency') return passed(measured, threshold, { head, journal: 'local' });
    return refused(
      measured,
      threshold,
      [
        { kind: 'ask', text: 'An auditor finds out what happened to the trail', command: 'belay audit verify' },
        {
          kind: 'other-target',
          text: 'In an emergency a local journal is kept',
          command: 'belay emergency --level E1',
        },
      ],
      { head, error: writable instanceof Error ? writable.message : null },
    );
  },
};

/** Appends an entry as the run would, and takes it back. */
async function tryAppend(
  control: pg.Pool,
  trail: AuditTrail,
  planId: string | null,
  actor: string,
): Promise<undefined> {
  const client = await control.connect();
  try {
    await client.query('BEGIN');
    await trail.append(
      { actor: { id: actor }, action: 'check.audit', subject: 'audit', environment: 'trial', planId, outcome: 'trial' },
      client,
    );
  } finally {
    await client.query('ROLLBACK').catch(() => undefined);
    client.release();
  }
  return undefined;
}
