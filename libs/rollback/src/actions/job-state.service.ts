import { abortJobs, QueueUnavailable, within } from '@belay/platform';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Done, Evidence, StepContext } from '../engine/action.js';
import type { Json, JsonObject } from '../engine/json.js';
import type { World } from '../engine/world.js';
import { DomainUnknown } from '../rollback.problems.js';
import { acknowledged, jobsOf, liveProcesses } from './live-process.queries.js';
import { overlayScope, overrideOf, writeOverride } from './override.queries.js';

/** A queue that says nothing for longer is away. */
const REACHED_WITHIN_MS = 12_000;
const HEEDED_WITHIN_MS = 10_000;
const BETWEEN_LOOKS_MS = 500;

const beforeJobs = z.object({ queue: z.enum(['paused', 'open', 'none']) });

/** Whether the domain has any jobs at all; throws for a domain that is none of this release. */
export function hasJobs(world: World, name: string): boolean {
  const domain = world.domains.find((one) => one.name === name);
  if (!domain)
    throw new DomainUnknown(
      name,
      world.domains.map((one) => one.name),
    );
  return domain.jobs !== undefined || domain.listens !== undefined;
}

export async function inspectJobs({ world }: StepContext, domain: string): Promise<JsonObject> {
  if (!hasJobs(world, domain)) return { domain, queue: 'none' };
  const { waiting, delayed, failed, paused } = await reach(world.queues.counts(domain));
  const active = await runningJobs(world, domain);
  return { domain, queue: paused ? 'paused' : 'open', active, waiting, delayed, failed };
}

/** Pauses the queue and waits for what runs; then every worker tells its jobs to stop, and what does not is listed. */
export async function stopJobs(context: StepContext, domain: string, drainS: number): Promise<JsonObject> {
  const { world, signal } = context;
  if (!hasJobs(world, domain)) return { domain, queue: 'none', stuck: [], aborted: false };
  // Whoever has been overtaken must not pause what another has opened again.
  await context.inControl(() => Promise.resolve());
  await reach(world.queues.pause(domain));
  const drained = Math.min(performance.now() + drainS * 1_000, context.deadline - HEEDED_WITHIN_MS);
  let running = await untilIdle(context, domain, drained);
  const aborted = running.length > 0;
  if (aborted) {
    const seq = await tellAbort(context, domain, true);
    const heeded = performance.now() + HEEDED_WITHIN_MS;
    await acknowledged(world.control, BigInt(seq), heeded, signal);
    running = await untilIdle(context, domain, heeded);
  }
  await clearAbort(context, domain);
  return { domain, queue: 'paused', stuck: running, aborted };
}

/** Whether all of that is done: the queue stands, nothing runs, and nothing is told to stop any more. */
export async function isStopped(context: StepContext, domain: string): Promise<boolean> {
  const { world } = context;
  const { paused } = await reach(world.queues.counts(domain));
  const told = await overrideOf(world.control, overlayScope(context), abortJobs(domain));
  return paused && told?.off !== true && (await runningJobs(world, domain)).length === 0;
}

export async function startJobs(context: StepContext, domain: string): Promise<JsonObject> {
  if (!hasJobs(context.world, domain)) return { domain, queue: 'none' };
  await context.inControl(() => Promise.resolve());
  await clearAbort(context, domain);
  await reach(context.world.queues.resume(domain));
  return { domain, queue: 'open' };
}

/** Two looks: nothing runs, by the queue's word and by that of the workers, and nothing has ended in between. */
export async function verifyStopped(
  { world, signal }: StepContext,
  domain: string,
  wanted: 'paused' | 'idle' = 'paused',
): Promise<Evidence> {
  if (!hasJobs(world, domain)) return { outcome: 'pass', facts: { domain, queue: 'none' } };
  try {
    const first = await lookAt(world, domain);
    await sleep(BETWEEN_LOOKS_MS, undefined, { signal });
    const second = await lookAt(world, domain);
    const still = [first, second].every(({ running }) => running.length === 0);
    const idle = still && (wanted === 'idle' || (first.paused && second.paused));
    const quiet = first.lastEnded === second.lastEnded;
    return { outcome: idle && quiet ? 'pass' : 'fail', facts: { domain, looks: [first, second] } };
  } catch (error) {
    return unreached(error, domain);
  }
}

export async function verifyStarted({ world }: StepContext, domain: string): Promise<Evidence> {
  if (!hasJobs(world, domain)) return { outcome: 'pass', facts: { domain, queue: 'none' } };
  try {
    const { paused } = await reach(world.queues.counts(domain));
    return { outcome: paused ? 'fail' : 'pass', facts: { domain, paused } };
  } catch (error) {
    return unreached(error, domain);
  }
}

/** Opens or pauses the queue as it was before. */
export async function restoreJobs(context: StepContext, domain: string, { before }: Done): Promise<JsonObject> {
  const { queue } = beforeJobs.parse(before);
  if (queue === 'none') return { domain, queue };
  await context.inControl(() => Promise.resolve());
  await clearAbort(context, domain);
  await reach(queue === 'paused' ? context.world.queues.pause(domain) : context.world.queues.resume(domain));
  return { domain, queue };
}

/** What runs of the domain, wherever: the queue may not know of a job whose worker has lost it. */
async function runningJobs(world: World, domain: string): Promise<readonly JsonObject[]> {
  const [queued, processes] = await Promise.all([reach(world.queues.active(domain)), liveProcesses(world.control)]);
  const running = new Map<string, JsonObject>();
  for (const { id, name, startedAt } of queued) running.set(id, { id, name, since: startedAt?.toISOString() ?? null });
  for (const { id, name, since } of jobsOf(processes, domain)) running.set(id, { id, name, since });
  return [...running.values()];
}

async function untilIdle(context: StepContext, domain: string, until: number): Promise<readonly JsonObject[]> {
  // Seen twice, because a worker may have looked for a job just before the pause.
  for (let quiet = 0, most = 0; ;) {
    const running = await runningJobs(context.world, domain);
    quiet = running.length === 0 ? quiet + 1 : 0;
    most = Math.max(most, running.length);
    context.progress(most - running.length, most, 'jobs');
    if (quiet === 2 || performance.now() >= until) return running;
    await sleep(100, undefined, { signal: context.signal });
  }
}

function tellAbort(context: StepContext, domain: string, off: boolean): Promise<string> {
  const { reason, actor, runId } = context;
  return context.inControl((client) =>
    writeOverride(client, overlayScope(context), abortJobs(domain), { off, reason, actor, runId }),
  );
}

/** Also after an attempt that was cut off in between: what begins later is not to be told to stop. */
async function clearAbort(context: StepContext, domain: string): Promise<void> {
  const told = await overrideOf(context.world.control, overlayScope(context), abortJobs(domain));
  if (told?.off === true) await tellAbort(context, domain, false);
}

async function lookAt(world: World, domain: string) {
  const { paused, waiting } = await reach(world.queues.counts(domain));
  const running = await runningJobs(world, domain);
  const lastEnded = (await reach(world.queues.lastEnded(domain)))?.toISOString() ?? null;
  return { paused, waiting, running, lastEnded };
}

/** Nobody knows what a queue that does not answer is at. */
function unreached(error: unknown, domain: string): Evidence {
  if (!(error instanceof QueueUnavailable)) throw error;
  const facts: Record<string, Json> = { domain, error: 'the job queue does not answer' };
  return { outcome: 'inconclusive', facts };
}

async function reach<Answer>(asked: Promise<Answer>): Promise<Answer> {
  try {
    if (await within(asked, REACHED_WITHIN_MS)) return await asked;
  } catch (error) {
    throw new QueueUnavailable(error);
  }
  throw new QueueUnavailable(new Error('no answer'));
}
