import { Injectable } from '@nestjs/common';
import { CronJob, Database, type RunningJob } from '@belay/platform';
import { forgetLeave } from './leave/leave.queries.js';
import { dropLogBefore, makeLogMonths } from './log/log.queries.js';

/** Months that are made ahead, so that a worker that was away for long finds one. */
const MONTHS_AHEAD = 3;
const LOG_MONTHS = 13;
const LEAVE_MONTHS = 24;

/** Makes room for what will be written, and lets go of what was kept long enough. */
@Injectable()
export class RetentionProcessor {
  constructor(private readonly database: Database) {}

  @CronJob({ name: 'log-months', cron: '15 1 * * *' })
  async makeMonths(slot: Date, job: RunningJob): Promise<void> {
    await this.database.transaction(job.caller, async (tx) => {
      // The present month has entries where the log has just begun, and then stays where it is.
      await makeLogMonths(tx, [slot, MONTHS_AHEAD]);
      job.checkpoint();
    });
  }

  @CronJob({ name: 'retention', cron: '45 2 * * *' })
  async letGo(slot: Date, job: RunningJob): Promise<void> {
    await this.database.transaction(job.caller, async (tx) => {
      await dropLogBefore(tx, [monthsBefore(slot, LOG_MONTHS)]);
      await forgetLeave(tx, [monthsBefore(slot, LEAVE_MONTHS)]);
      job.checkpoint();
    });
  }
}

/** The first day of a month that is so many months before. */
function monthsBefore(at: Date, months: number): Date {
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - months, 1));
}
