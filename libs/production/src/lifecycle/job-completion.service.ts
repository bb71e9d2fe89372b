import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Command, LockedJob } from '../production.command.js';
import { JobNews } from '../tickets/job-news.service.js';
import { reportFinding } from './finding.queries.js';
import { finishJob, restOfInstance } from './job-completion.queries.js';

/** Ends a job when its last token has ended. */
@Injectable()
export class JobCompletion {
  constructor(private readonly news: JobNews) {}

  /**
   * The job is held alone. With pieces that were scrapped and not yet replaced it stays open, and supervisors are told that
   * it is short.
   */
  async check(command: Command, job: LockedJob & { readonly instanceId: string }): Promise<void> {
    const { tx, at } = command;
    const [rest] = await restOfInstance(tx, [job.instanceId]);
    if (!rest || rest.isAlive) return;
    if (rest.missing.length > 0) {
      const detail = JSON.stringify({ missing: rest.missing });
      await reportFinding(tx, [randomUUIDv7(), 'job-short', 'job', job.ticketId, detail, at]);
      return;
    }
    const finished = await finishJob(tx, [job.ticketId, job.instanceId, at]);
    if (finished.length > 0) await this.news.tell(command, job.ticketId, 'completed');
  }
}
