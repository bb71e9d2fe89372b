import { Injectable } from '@nestjs/common';
import { CronJob, Database, type RunningJob } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import {
  archiveTokens,
  dropOldEvents,
  endedAttempts,
  forgetArchived,
  forgetArrivalsBefore,
  openMonths,
} from './retention.queries.js';

const COMPLETED_DAYS = 90;
const SCRAPPED_DAYS = 30;
const ARRIVAL_DAYS = 7;
const ATTEMPTS_AT_ONCE = 20;
const ROWS_AT_ONCE = 5_000;

/** What has ended goes to the archive, and what has been there long enough is forgotten. What lives never leaves. */
@Injectable()
export class RetentionProcessor {
  constructor(private readonly database: Database) {}

  @CronJob({ name: 'forget-arrivals', cron: '0 3 * * *' })
  async forgetArrivals(_slot: Date, job: RunningJob): Promise<void> {
    await this.inParts(
      job,
      ROWS_AT_ONCE,
      async (tx) => (await forgetArrivalsBefore(tx, [ARRIVAL_DAYS, ROWS_AT_ONCE])).length,
    );
  }

  @CronJob({ name: 'archive', cron: '30 3 * * *' })
  async archive(_slot: Date, job: RunningJob): Promise<void> {
    await this.inParts(job, ATTEMPTS_AT_ONCE, async (tx) => {
      const attempts = (await endedAttempts(tx, [COMPLETED_DAYS, SCRAPPED_DAYS, ATTEMPTS_AT_ONCE])).map(({ id }) => id);
      if (attempts.length > 0) await archiveTokens(tx, [attempts]);
      return attempts.length;
    });
    for (const forget of forgetArchived) {
      await this.inParts(job, ROWS_AT_ONCE, async (tx) => (await forget(tx, [ROWS_AT_ONCE])).length);
    }
  }

  /** A month is a table: the coming ones are made in time, and what is too old goes as a whole. */
  @CronJob({ name: 'event-months', cron: '15 3 * * *' })
  async turnMonths(_slot: Date, job: RunningJob): Promise<void> {
    await this.database.transaction(job.caller, async (tx) => {
      await openMonths(tx, []);
      await dropOldEvents(tx, []);
      job.checkpoint();
    });
  }

  /** Until less than that many were found, each part in a transaction of its own. */
  private async inParts(job: RunningJob, most: number, part: (tx: EntityManager) => Promise<number>): Promise<void> {
    for (;;) {
      const done = await this.database.transaction(job.caller, async (tx) => {
        const found = await part(tx);
        job.checkpoint();
        return found;
      });
      if (done < most) return;
    }
  }
}
