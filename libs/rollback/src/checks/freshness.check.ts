import { fingerprintNow } from '../plans/fingerprint.queries.js';
import { passed, refused, type SafetyCheck } from './check.js';

const MOST_MINUTES = 30;

/** S05: nothing that the plan rests on has changed since it was made. Its own effects do not count, so it is not asked again. */
export const freshnessCheck: SafetyCheck = {
  id: 'S05',
  title: 'The plan is fresh',
  severity: 'critical',
  phases: ['plan', 'start'],
  applies: () => true,

  async run({ world, plan }) {
    const [now, clock] = await Promise.all([
      fingerprintNow(world, plan.domains),
      world.control.query<{ minutes: number }>(
        `SELECT extract(epoch FROM clock_timestamp() - $1::timestamptz)::float8 / 60 AS minutes`,
        [plan.createdAt],
      ),
    ]);
    const minutes = Math.round((clock.rows[0]?.minutes ?? Infinity) * 10) / 10;
    const measured = { fingerprint: now, minutes };
    const threshold = { fingerprint: plan.fingerprint, minutes: MOST_MINUTES };
    if (now === plan.fingerprint && minutes <= MOST_MINUTES) return passed(measured, threshold);
    return refused(measured, threshold, [
      { kind: 'other-target', text: 'Plan again from the state things are in now', command: 'belay plan …' },
    ]);
  },
};
