import { Inject, Injectable, Module } from '@nestjs/common';
import { Database, forgetIdempotencyKeys } from '../database/database.js';
import { statement } from '../database/statement.js';
import { RUNTIME, type Runtime } from '../runtime.js';
import { CronJob } from './job.decorators.js';
import type { JobDomain } from './job-handlers.js';
import type { RunningJob } from './running-job.js';

const BATCH = 10_000;

const forgetEvents = statement<{ id: string }>(
  'platform.forget_published_events',
  `DELETE FROM platform.outbox
   WHERE id IN (
     SELECT id FROM platform.outbox WHERE published_at < clock_timestamp() - interval '7 days'
     ORDER BY published_at LIMIT $1 FOR UPDATE SKIP LOCKED)
   RETURNING id`,
);

const forgetMarks = statement<{ event_id: string }>(
  'platform.forget_inbox_marks',
  `DELETE FROM platform.inbox
   WHERE (consumer, event_id) IN (
     SELECT consumer, event_id FROM platform.inbox
     WHERE domain = $1 AND at < clock_timestamp() - interval '30 days' LIMIT $2 FOR UPDATE SKIP LOCKED)
   RETURNING event_id`,
);

/** Clears away what the platform keeps for a time only. Runs whatever is switched off. */
@Injectable()
class PlatformJobs {
  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    private readonly database: Database,
  ) {}

  @CronJob({ name: 'forget-idempotency-keys', cron: '*/10 * * * *' })
  async forgetIdempotencyKeys(_slot: Date, job: RunningJob): Promise<void> {
    await inBatches(job, (limit) => forgetIdempotencyKeys(this.database.dataSource, limit));
  }

  @CronJob({ name: 'forget-published-events', cron: '17 * * * *' })
  async forgetPublishedEvents(_slot: Date, job: RunningJob): Promise<void> {
    await inBatches(job, async (limit) => (await forgetEvents(this.database.dataSource, [limit])).length);
  }

  @CronJob({ name: 'forget-inbox-marks', cron: '37 * * * *' })
  async forgetInboxMarks(_slot: Date, job: RunningJob): Promise<void> {
    for (const { name } of this.runtime.domains) {
      await inBatches(job, async (limit) => (await forgetMarks(this.database.dataSource, [name, limit])).length);
    }
  }
}

@Module({ providers: [PlatformJobs] })
class PlatformJobsModule {}

/** The queue of the platform's own jobs. */
export const PLATFORM = 'platform';

export const platformJobs: JobDomain = { name: PLATFORM, jobs: PlatformJobsModule };

async function inBatches(job: RunningJob, forget: (limit: number) => Promise<number>): Promise<void> {
  do job.checkpoint();
  while ((await forget(BATCH)) === BATCH);
}
