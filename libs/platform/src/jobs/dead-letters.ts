import { Injectable } from '@nestjs/common';
import { NotFound } from '../problem/problem.js';
import { Queues, type QueuedJob } from './queues.js';

export interface DeadLetter {
  readonly id: string;
  readonly domain: string;
  readonly name: string;
  readonly reason: string;
  readonly attempts: number;
  readonly failedAt: Date;
  readonly requestId: string;
  readonly payload: unknown;
}

/** No dead letter of the domain has the id; somebody may have retried or discarded it. */
export class DeadLetterNotFound extends NotFound {
  readonly slug = 'dead-letter-not-found';
  readonly title = 'No such failed job';

  constructor(domain: string, id: string) {
    super(`No job ${id} of ${domain} has failed for good.`, { domain, id });
  }
}

/** Jobs that failed for good. They are kept until somebody decides. */
@Injectable()
export class DeadLetters {
  constructor(private readonly queues: Queues) {}

  /** Newest first. */
  async list(domain: string, { limit = 50, offset = 0 } = {}): Promise<readonly DeadLetter[]> {
    const jobs = await this.queues.of(domain).getFailed(offset, offset + limit - 1);
    return jobs.map((job) => ({
      id: job.id ?? '',
      domain,
      name: job.name,
      reason: job.failedReason,
      attempts: job.attemptsMade,
      failedAt: new Date(job.finishedOn ?? job.timestamp),
      requestId: job.data.requestId,
      payload: job.data.payload,
    }));
  }

  /** It waits again, with all its attempts. */
  async retry(domain: string, id: string): Promise<void> {
    const job = await this.find(domain, id);
    await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
  }

  /** All that have failed up to now. */
  async retryAll(domain: string): Promise<void> {
    await this.queues.of(domain).retryJobs({ state: 'failed', timestamp: Date.now() });
  }

  /** The work will not be done. */
  async discard(domain: string, id: string): Promise<void> {
    const job = await this.find(domain, id);
    await job.remove();
  }

  private async find(domain: string, id: string): Promise<QueuedJob> {
    const job = await this.queues.of(domain).getJob(id);
    if (job === undefined || !(await job.isFailed())) throw new DeadLetterNotFound(domain, id);
    return job;
  }
}
