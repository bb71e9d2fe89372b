import { DelayedError, UnrecoverableError, WaitingError } from 'bullmq';
import { inLogContext } from '../log/log-context.js';
import { Problem } from '../problem/problem.js';
import type { Runtime } from '../runtime.js';
import { jobEnvelope } from './job-envelope.js';
import type { JobHandler } from './job-handlers.js';
import type { JobMetrics } from './job.metrics.js';
import { within, type Patience } from './patience.js';
import type { JobWorker, QueuedJob, Queues } from './queues.js';
import { JobHeld, RunningJob } from './running-job.js';

// Looked at again after a quarter of the time it has waited, within these bounds: many held jobs must not keep us busy.
const HELD_MS = { least: 1_000, most: 30_000 };

const LEAVE_MS = 1_000;

const never = new AbortController().signal;

/** Takes the jobs of one domain from its queue and has them done. */
export class DomainWorker {
  readonly #running = new Map<string, RunningJob>();
  readonly #lost = new Set<string>();
  #abandon: () => void = () => undefined;
  readonly #abandoned = new Promise<void>((resolve) => {
    this.#abandon = resolve;
  });
  readonly #worker: JobWorker;

  constructor(
    readonly domain: string,
    private readonly handlers: ReadonlyMap<string, JobHandler>,
    private readonly mayRun: (feature: string | undefined) => boolean,
    private readonly runtime: Runtime,
    private readonly metrics: JobMetrics,
    queues: Queues,
  ) {
    // BullMQ gives a signal only to functions with three parameters.
    this.#worker = queues.worker(domain, (job, token, signal) => this.process(job, token, signal));
    this.#worker.on('lockRenewalFailed', (ids) => {
      for (const id of ids) this.lose(id);
    });
    this.#worker.on('failed', (job, error) => {
      this.report(job, error);
    });
    this.#worker.on('error', (error) => {
      this.runtime.log.warn({ err: error, domain }, 'queue not reached');
    });
  }

  /**
   * Takes no further job and waits for those that run; answers the ids of those that would not end. Asked again, it is
   * done as soon as either has lost patience.
   */
  async close({ graceMs, abortMs }: Patience): Promise<readonly string[]> {
    const ended = Promise.race([this.#worker.close(), this.#abandoned]);
    // The queue may be out of reach, and then BullMQ cannot take its leave.
    const soon = await within(ended, Math.min(graceMs, LEAVE_MS));
    if (!soon && this.#running.size > 0 && !(await within(ended, graceMs - LEAVE_MS))) {
      this.#worker.cancelAllJobs('the worker stops');
      await within(ended, abortMs);
    }
    this.#abandon();
    return [...this.#running.keys()];
  }

  /** Tells the jobs that run to stop; those that heed it are put back. */
  abort(): void {
    if (this.#running.size > 0) this.#worker.cancelAllJobs('told to stop');
  }

  private async process(
    job: QueuedJob,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<undefined> {
    const { domain, handlers } = this;
    const { id = '', name, attemptsMade } = job;
    const { version, requestId, payload } = readable(() => jobEnvelope.parse(job.data));
    const handler = handlers.get(name);
    // What this release does not know is left to workers of a newer one.
    if (!handler || version > handler.version || !this.mayRun(handler.feature)) return this.hold(job, token);
    const work = readable(() => handler.read(payload));

    const facts = { id, domain, name, attempt: attemptsMade + 1, requestId, signal: signal ?? never };
    const running = new RunningJob(facts, () => this.mayRun(handler.feature));
    this.enter(running);
    const stopwatch = this.metrics.seconds.startTimer({ domain, name });
    try {
      await inLogContext({ requestId, job: id }, () => work(running));
      this.metrics.outcome(domain, name, 'done');
      return undefined;
    } catch (error) {
      const interrupted = error instanceof JobHeld || running.signal.aborted;
      if (!interrupted || this.#lost.has(id)) throw verdict(error);
      return await (running.signal.aborted ? this.giveBack(job, token) : this.hold(job, token));
    } finally {
      stopwatch();
      this.leave(running);
    }
  }

  /** Puts the job off: it is neither lost nor failed, and has used up no attempt. */
  private async hold(job: QueuedJob, token: string | undefined): Promise<never> {
    this.metrics.outcome(this.domain, job.name, 'held');
    const waited = Date.now() - job.timestamp;
    const pause = Math.min(Math.max(waited / 4, HELD_MS.least), HELD_MS.most);
    await job.moveToDelayed(Date.now() + Math.round(pause), token);
    throw new DelayedError();
  }

  /** Puts the job back for another worker, because this one stops. */
  private async giveBack(job: QueuedJob, token: string | undefined): Promise<never> {
    this.metrics.outcome(this.domain, job.name, 'held');
    await job.moveToWait(token);
    throw new WaitingError();
  }

  /** Another worker may have the job by now; what is done here from now on would be done twice. */
  private lose(id: string): void {
    this.#lost.add(id);
    this.#worker.cancelJob(id, 'the job was given to another worker');
    this.runtime.log.warn({ domain: this.domain, job: id }, 'job lost to another worker');
  }

  private enter(job: RunningJob): void {
    const { id, domain, name } = job;
    this.#running.set(id, job);
    this.runtime.presence.activeJobs.set(`${domain}/${id}`, { id, domain, name, since: new Date().toISOString() });
  }

  private leave({ id, domain }: RunningJob): void {
    this.#running.delete(id);
    this.#lost.delete(id);
    this.runtime.presence.activeJobs.delete(`${domain}/${id}`);
  }

  private report(job: QueuedJob | undefined, error: Error): void {
    if (!job) return;
    const dead = job.finishedOn !== undefined;
    this.metrics.outcome(this.domain, job.name, dead ? 'dead' : 'failed');
    const facts = { err: error, job: job.id, domain: this.domain, name: job.name, attempt: job.attemptsMade };
    const { requestId } = job.data;
    if (dead) this.runtime.log.error({ ...facts, requestId }, 'job failed for good');
    else this.runtime.log.warn({ ...facts, requestId }, 'job failed, will be tried again');
  }
}

/** A payload that cannot be read today cannot be read tomorrow. */
function readable<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    throw new UnrecoverableError(`payload-unreadable: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What can never succeed is not tried again. */
function verdict(error: unknown): Error {
  if (error instanceof Problem && error.kind !== 'unavailable' && error.kind !== 'too-many-requests') {
    return new UnrecoverableError(`${error.slug}: ${error.detail}`);
  }
  return error instanceof Error ? error : new Error(String(error));
}
