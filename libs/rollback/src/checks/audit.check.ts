import { setTimeout as sleep } from 'node:timers/promises';
import { AuditTrail } from '@belay/platform';
import type pg from 'pg';
import { passed, refused, type SafetyCheck } from './check.js';

/** How much of the chain is walked each time; a full walk is `belay audit verify`. */
const WALKED = 1_000;
/** Of the two seconds that a check has in an emergency. */
const EMERGENCY_MS = 1_500;

/** S02: what is about to be done can be written down, behind a chain that nobody has tampered with. */
export const auditCheck: SafetyCheck = {
  id: 'S02',
  title: 'The audit trail is whole and can be written',
  severity: 'critical',
  phases: ['plan', 'start', 'step'],
  applies: () => true,

  async run({ world, plan, planId }) {
    const threshold = { broken: null, writable: true };
    const looking = lookAt(world.control, planId, plan.author);
    if (plan.target.kind === 'emergency') {
      // An emergency does not wait for the trail: it is written to a local file, and merged later.
      const found = await Promise.race([looking.catch(() => null), sleep(EMERGENCY_MS, null)]);
      const whole = found !== null && found.measured.broken === null && found.measured.writable;
      const measured = found?.measured ?? { writable: false };
      return passed(measured, threshold, whole ? found.evidence : { journal: 'local' });
    }
    const { measured, evidence } = await looking;
    if (measured.broken === null && measured.writable) return passed(measured, threshold, evidence);
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
      evidence,
    );
  },
};

async function lookAt(control: pg.Pool, planId: string | null, actor: string) {
  const trail = new AuditTrail(control);
  const { rows } = await control.query<{ seq: string }>(`SELECT seq FROM control.audit_head`);
  const head = Number(rows[0]?.seq ?? 0);
  const { broken, entries } = await trail.verify({ from: Math.max(1, head - WALKED + 1) });
  const refusal = await tryAppend(control, trail, planId, actor).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const measured = {
    entries,
    broken: broken ? { seq: broken.seq, reason: broken.reason } : null,
    writable: refusal === null,
  };
  return { measured, evidence: { head, refusal } };
}

/** Appends an entry as the run would, and takes it back. */
async function tryAppend(control: pg.Pool, trail: AuditTrail, planId: string | null, actor: string): Promise<void> {
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
}
