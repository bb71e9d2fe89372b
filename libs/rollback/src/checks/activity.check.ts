import { z } from 'zod';
import { passed, refused, type CheckContext, type SafetyCheck } from './check.js';

/** Requests that were let in before every process had heard of the override may still end. */
const GRACE_S = 5;
const RECENT_S = 60;
const LONG_TRANSACTION_S = 30;
const MOST_LAG_S = 10;

function schemasAtRisk({ plan, step }: Pick<CheckContext, 'plan' | 'step'>): readonly string[] {
  return step?.domain == null ? plan.domains : [step.domain];
}

const process_ = z.object({
  id: z.string(),
  host: z.string(),
  requests: z.array(z.object({ domain: z.string(), secondsAgo: z.number(), afterOff: z.number().nullable() })),
  jobs: z.array(z.object({ domain: z.string(), id: z.string(), name: z.string() })),
});

/**
 * What living processes say of these domains: last requests, and how long after the override they were; active jobs. The
 * whole database is exchanged while it is served, and its step stops requests and jobs by itself.
 */
async function activity({ world, plan, step }: CheckContext) {
  if (step?.action === 'database.restore') return [];
  const domains = schemasAtRisk({ plan, step });
  const flags = world.domains.flatMap(({ name, flag }) =>
    flag !== undefined && domains.includes(name) ? [{ domain: name, flag }] : [],
  );
  const { rows } = await world.control.query(
    `SELECT p.id, p.host,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('domain', r.key,
               'secondsAgo', extract(epoch FROM clock_timestamp() - (r.value #>> '{}')::timestamptz),
               'afterOff', (SELECT extract(epoch FROM (r.value #>> '{}')::timestamptz - o.at) FROM control.flag_override o
                            JOIN jsonb_to_recordset($2::jsonb) AS f(domain text, flag text) USING (flag)
                            WHERE o.scope = 'live' AND o.off AND f.domain = r.key))), '[]')
             FROM jsonb_each(p.last_request) r WHERE r.key = ANY ($1)) AS requests,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('domain', j->>'domain', 'id', j->>'id', 'name', j->>'name')), '[]')
             FROM jsonb_array_elements(p.active_jobs) j WHERE j->>'domain' = ANY ($1)) AS jobs
     FROM control.process p WHERE p.at > clock_timestamp() - interval '5 seconds'`,
    [domains, JSON.stringify(flags)],
  );
  return z.array(process_).parse(rows);
}

/** S13: nobody uses the module any more, though it is off. */
export const usersCheck: SafetyCheck = {
  id: 'S13',
  title: 'Nobody uses the module',
  severity: 'normal',
  phases: ['step'],
  applies: ({ steps }) => steps.some(({ destructive }) => destructive),

  async run(context) {
    const served = (await activity(context)).flatMap(({ host, requests }) =>
      requests
        .filter(({ secondsAgo, afterOff }) => secondsAgo < RECENT_S && (afterOff === null || afterOff > GRACE_S))
        .map(({ domain, secondsAgo }) => ({ host, domain, secondsAgo: Math.round(secondsAgo) })),
    );
    const threshold = { served: [], withinS: RECENT_S };
    if (served.length === 0) return passed({ served }, threshold);
    return refused({ served }, threshold, [
      { kind: 'wait-until', text: `Wait until nobody was served for ${RECENT_S} s`, command: 'belay resume <run>' },
      { kind: 'extra-step', text: 'Find out why a process still serves it', command: 'belay flags explain <flag>' },
    ]);
  },
};

/** S14: no job of the module runs any more. */
export const jobsCheck: SafetyCheck = {
  id: 'S14',
  title: 'No job of the module runs',
  severity: 'destructive',
  phases: ['step'],
  applies: ({ steps }) => steps.some(({ destructive }) => destructive),

  async run(context) {
    const jobs = (await activity(context)).flatMap(({ host, jobs: running }) =>
      running.map(({ domain, id, name }) => ({ host, domain, id, name })),
    );
    if (jobs.length === 0) return passed({ jobs }, { jobs: [] });
    return refused({ jobs }, { jobs: [] }, [
      { kind: 'wait-until', text: 'Wait until they have ended', command: 'belay resume <run>' },
      { kind: 'extra-step', text: 'Stop the worker that holds them; they run again elsewhere later' },
    ]);
  },
};

const holder = z.object({ pid: z.number(), application: z.string(), seconds: z.number(), state: z.string() });

/** S15: no transaction holds what must be locked, and no replica is far behind. */
export const transactionsCheck: SafetyCheck = {
  id: 'S15',
  title: 'No long transaction is in the way',
  severity: 'normal',
  phases: ['plan', 'start', 'step'],
  applies: ({ steps }) => steps.some(({ destructive }) => destructive),

  async run({ world, plan, step }) {
    const { application } = world;
    const [holders, lag] = await Promise.all([
      application.query(
        `SELECT DISTINCT a.pid, a.application_name AS application, a.state,
                extract(epoch FROM clock_timestamp() - a.xact_start)::int AS seconds
         FROM pg_stat_activity a
         JOIN pg_locks l ON l.pid = a.pid AND l.granted AND l.locktype = 'relation'
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = ANY ($1) AND a.pid <> pg_backend_pid()
           AND a.xact_start < clock_timestamp() - interval '${LONG_TRANSACTION_S} seconds'
         ORDER BY seconds DESC`,
        [schemasAtRisk({ plan, step })],
      ),
      application.query<{ lag: number }>(
        `SELECT coalesce(max(extract(epoch FROM replay_lag)), 0)::float8 AS lag FROM pg_stat_replication`,
      ),
    ]);
    const transactions = z.array(holder).parse(holders.rows);
    const lagS = Math.round(lag.rows[0]?.lag ?? 0);
    const measured = { transactions, lagS };
    const threshold = { transactions: [], olderThanS: LONG_TRANSACTION_S, lagS: MOST_LAG_S };
    if (transactions.length === 0 && lagS <= MOST_LAG_S) return passed(measured, threshold);
    return refused(measured, threshold, [
      { kind: 'wait-until', text: 'Wait until they have ended' },
      {
        kind: 'ask',
        text: `A database administrator ends them: SELECT pg_terminate_backend(${transactions[0]?.pid ?? '…'})`,
      },
    ]);
  },
};
