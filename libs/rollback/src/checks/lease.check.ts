import { isoInstant } from '@belay/platform';
import { readLease } from '../engine/lease.js';
import type { World } from '../engine/world.js';
import { passed, refused, type SafetyCheck } from './check.js';

/** S01: nobody else is at work on what the plan touches. An emergency takes over from whoever is not one as high. */
export const leaseCheck: SafetyCheck = {
  id: 'S01',
  title: 'Nobody else is at work',
  severity: 'critical',
  phases: ['plan', 'start', 'step'],
  applies: () => true,

  async run({ world, plan, runId }) {
    const [lease, migrations] = await Promise.all([readLease(world.control, 'live'), migrationsUnderWay(world)]);
    const foreign = lease.live && (runId === null || lease.runId !== runId);
    const other = foreign ? await runOf(world, lease.runId) : undefined;
    const { target } = plan;
    const yields = target.kind === 'emergency' && (other?.level ?? '') < target.level;
    const measured = {
      heldBy: foreign ? (lease.purpose ?? 'somebody') : null,
      runId: foreign ? lease.runId : null,
      migrations,
    };
    const threshold = { heldBy: null, migrations: 0 };
    if ((!foreign || yields) && (migrations === 0 || runId !== null)) {
      return passed(measured, threshold, foreign ? { preempts: lease.runId } : {});
    }
    return refused(
      measured,
      threshold,
      [
        { kind: 'wait-until', text: 'Wait until it has ended', command: 'belay status' },
        {
          kind: 'other-target',
          text: 'Declare an emergency, which takes over',
          command: 'belay emergency --level E1 --module <domain>',
        },
      ],
      other ? { run: lease.runId, state: other.state, step: other.step, startedAt: other.startedAt } : {},
    );
  },
};

/** Sessions that hold the lock of the migration runner. */
async function migrationsUnderWay({ application }: World): Promise<number> {
  const { rows } = await application.query<{ holders: number }>(
    `SELECT count(*)::int AS holders FROM pg_locks
     WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND ((classid::bigint << 32) | objid::bigint) = hashtextextended('belay.migrations', 0)`,
  );
  return rows[0]?.holders ?? 0;
}

interface OtherRun {
  readonly level: string | null;
  readonly state: string;
  readonly step: string | null;
  readonly startedAt: string | null;
}

async function runOf({ control }: World, runId: string | null): Promise<OtherRun | undefined> {
  const { rows } = await control.query<OtherRun>(
    `SELECT level, state, ${isoInstant('started_at')} AS "startedAt",
            (SELECT action FROM control.run_step s WHERE s.run_id = r.id AND s.state NOT IN ('pending', 'verified', 'skipped')
             ORDER BY idx LIMIT 1) AS step
     FROM control.run r WHERE id = $1`,
    [runId],
  );
  return rows[0];
}
