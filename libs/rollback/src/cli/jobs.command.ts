import { AuditTrail } from '@belay/platform';
import type { Command } from 'commander';
import { hasJobs } from '../actions/job-state.service.js';
import { auditActor } from '../engine/actor.js';
import { exitCodes } from './exit-code.rules.js';
import type { Common, Session, Shell, Told } from './shell.js';
import { count } from './text.rules.js';

const DRAIN_MS = 40_000;

/** `belay jobs stop|start|status <domain>`: what a person does at once; in plans it is a step. */
export function jobsCommand(shell: Shell): Command {
  const jobs = shell.group('jobs', 'stops the jobs of a module and lets them go on');
  for (const verb of ['stop', 'start'] as const) {
    jobs.addCommand(
      shell
        .act(verb, verb === 'stop' ? 'no job begins any more; waits for those that run' : 'what waits goes on')
        .argument('<domain>')
        .option('--reason <text>', 'why')
        .action((domain: string, flags: Common) =>
          shell.run(flags, (session) =>
            verb === 'stop' ? stop(session, domain, flags) : start(session, domain, flags),
          ),
        ),
    );
  }
  return jobs;
}

async function stop(session: Session, domain: string, flags: Common): Promise<Told> {
  const by = await session.actor('rollback:switch');
  const { world } = session;
  if (!hasJobs(world, domain)) return { text: `${domain} has no jobs.`, json: { domain, queue: 'none' } };
  const running = await world.queues.drain(domain, DRAIN_MS);
  await remember(session, by, 'jobs.stop', domain, flags.reason, running.length === 0 ? 'done' : 'jobs still run');
  const { waiting } = await world.queues.counts(domain);
  const still = running.map((job) => `✗ ${job.name} ${job.id} still runs`);
  return {
    text: [`The jobs of ${domain} are stopped; ${count(waiting, 'job')} wait.`, ...still].join('\n'),
    json: { domain, queue: 'paused', waiting, running },
    ...(running.length > 0 && { code: exitCodes.inconclusive }),
  };
}

async function start(session: Session, domain: string, flags: Common): Promise<Told> {
  const by = await session.actor('rollback:switch');
  const { world } = session;
  if (!hasJobs(world, domain)) return { text: `${domain} has no jobs.`, json: { domain, queue: 'none' } };
  await world.queues.resume(domain);
  await remember(session, by, 'jobs.start', domain, flags.reason, 'done');
  return { text: `The jobs of ${domain} go on.`, json: { domain, queue: 'open' } };
}

async function remember(
  session: Session,
  by: Awaited<ReturnType<Session['actor']>>,
  action: string,
  domain: string,
  reason: string | undefined,
  outcome: string,
): Promise<void> {
  const environment = session.runtime.config.NODE_ENV;
  await session
    .get(AuditTrail)
    .append({ actor: auditActor(by), action, subject: domain, environment, reason: reason ?? null, outcome });
}
