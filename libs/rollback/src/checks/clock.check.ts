import type pg from 'pg';
import { passed, refused, type SafetyCheck } from './check.js';

const MOST_MS = 2_000;

/** S28: this process and both databases agree on the time. */
export const clockCheck: SafetyCheck = {
  id: 'S28',
  title: 'The clocks agree',
  severity: 'critical',
  phases: ['plan', 'start', 'step'],
  applies: () => true,

  async run({ world }) {
    const [control, application] = await Promise.all([skewOf(world.control), skewOf(world.application)]);
    const measured = { controlMs: control, applicationMs: application };
    if (Math.max(Math.abs(control), Math.abs(application)) <= MOST_MS) return passed(measured, { ms: MOST_MS });
    return refused(measured, { ms: MOST_MS }, [
      { kind: 'ask', text: 'Somebody sets the clock of this machine, or of the database, right (NTP)' },
      { kind: 'other-target', text: 'Run it from another machine', command: 'belay run <plan> --here' },
    ]);
  },
};

/** How far ahead the database's clock is, as far as the way there and back lets one know. */
async function skewOf(on: pg.Pool): Promise<number> {
  const asked = Date.now();
  const { rows } = await on.query<{ now: Date }>(`SELECT clock_timestamp() AS now`);
  const answered = Date.now();
  const told = rows[0]?.now.getTime() ?? Infinity;
  if (told < asked) return told - asked;
  return told > answered ? told - answered : 0;
}
