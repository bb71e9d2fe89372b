import { readableJobs } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import { passed, refused, type CheckContext, type SafetyCheck } from './check.js';

/** Requests that were let in before every process had heard of the override may still end. */
const GRACE_S = 5;
const RECENT_S = 60;

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

/** S14: no job of the module runs any more, and none waits that the code which goes on could not read. */
export const jobsCheck: SafetyCheck = {
  id: 'S14',
  title: 'No job of the module runs',
  severity: 'destructive',
  phases: ['step'],
  applies: ({ steps }) => steps.some(({ destructive }) => destructive),

  async run(context) {
    const running = (await activity(context)).flatMap(({ host, jobs }) =>
      jobs.map(({ domain, id, name }) => ({ host, domain, id, name })),
    );
    const unreadable = await unreadableJobs(context);
    const measured = { jobs: running, unreadable };
    const threshold = { jobs: [], unreadable: [] };
    if (running.length + unreadable.length === 0) return passed(measured, threshold);
    return refused(measured, threshold, [
      { kind: 'wait-until', text: 'Wait until they have ended', command: 'belay resume <run>' },
      { kind: 'extra-step', text: 'Stop the worker that holds them; they run again elsewhere later' },
      ...(unreadable.length > 0 ? [readByNewer] : []),
    ]);
  },
};

const readByNewer = {
  kind: 'other-target',
  text: 'Let the release that wrote the jobs that wait do them first, or go back no further than it',
} as const;

/** Jobs that wait in queues of the plan, of a kind or of a version that this build does not read. */
async function unreadableJobs({ world, plan, step }: CheckContext) {
  const found: { domain: string; name: string; version: number; readable: number | null; jobs: number }[] = [];
  for (const domain of world.domains.filter(({ name }) => schemasAtRisk({ plan, step }).includes(name))) {
    const readable = readableJobs(domain);
    for (const { name, version, jobs } of await world.queues.waiting(domain.name)) {
      const newest = readable.get(name) ?? null;
      if (newest === null || version > newest)
        found.push({ domain: domain.name, name, version, readable: newest, jobs });
    }
  }
  return found;
}

const holder = z.object({ pid: z.number(), application: z.string(), seconds: z.number(), state: z.string() });
const replica = z.object({ name: z.string().nullable(), lagS: z.number().nullable() });

/** S15: no transaction holds what must be locked, and no replica is far behind. */
export const transactionsCheck: SafetyCheck = {
  id: 'S15',
  title: 'No long transaction is in the way',
  severity: 'normal',
  phases: ['plan', 'start', 'step'],
  applies: ({ steps }) => steps.some(({ destructive }) => destructive),

  async run({ world, plan, step }) {
    const { LONG_TRANSACTION_S: longS, MOST_REPLICA_LAG_S: mostLagS } = world.runtime.config;
    const [transactions, replicas] = await Promise.all([
      holdersOf(world.application, schemasAtRisk({ plan, step }), longS),
      replicasOf(world.application),
    ]);
    const behind = replicas.filter(({ lagS }) => lagS !== null && lagS > mostLagS);
    const unseen = replicas.filter(({ lagS }) => lagS === null).length;
    const measured = { transactions, behind, unseen };
    const threshold = { transactions: [], olderThanS: longS, lagS: mostLagS, unseen: 0 };
    if (transactions.length + behind.length + unseen === 0) return passed(measured, threshold);
    const outcome = transactions.length + behind.length > 0 ? 'fail' : 'inconclusive';
    return refused(measured, threshold, [wait(behind.length), ask(transactions[0]?.pid, unseen)], {}, outcome);
  },
};

function wait(behind: number) {
  const text = behind > 0 ? 'Wait until the replicas have caught up' : 'Wait until they have ended';
  return { kind: 'wait-until', text } as const;
}

function ask(pid: number | undefined, unseen: number) {
  const text =
    pid === undefined && unseen > 0
      ? 'A database administrator grants pg_monitor, without which nobody sees how far replicas are'
      : `A database administrator ends them: SELECT pg_terminate_backend(${pid ?? '…'})`;
  return { kind: 'ask', text } as const;
}

async function holdersOf(application: pg.Pool, schemas: readonly string[], longS: number) {
  const { rows } = await application.query(
    `SELECT DISTINCT a.pid, a.application_name AS application, a.state,
            extract(epoch FROM clock_timestamp() - a.xact_start)::int AS seconds
     FROM pg_stat_activity a
     JOIN pg_locks l ON l.pid = a.pid AND l.granted AND l.locktype = 'relation'
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
     JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY ($1) AND a.pid <> pg_backend_pid()
       AND a.xact_start < clock_timestamp() - $2 * interval '1 second'
     ORDER BY seconds DESC`,
    [schemas, longS],
  );
  return z.array(holder).parse(rows);
}

/**
 * How far each is behind: what it says itself, or how long it has said nothing while there was something to say. Null when
 * the role may not see it.
 */
async function replicasOf(application: pg.Pool) {
  const { rows } = await application.query(
    `SELECT application_name AS name,
            CASE WHEN state IS NULL THEN NULL
                 WHEN replay_lsn >= pg_current_wal_lsn() THEN 0
                 ELSE round(extract(epoch FROM greatest(
                        replay_lag, clock_timestamp() - coalesce(reply_time, backend_start))), 1)::float8 END AS "lagS"
     FROM pg_stat_replication WHERE state IS NULL OR state IN ('streaming', 'catchup') ORDER BY 1`,
  );
  return z.array(replica).parse(rows);
}
