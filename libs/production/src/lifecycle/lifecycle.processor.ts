import { Injectable } from '@nestjs/common';
import { CronJob, type RunningJob } from '@belay/platform';
import { Overdue } from './overdue.service.js';

/** What only time changes about tokens. */
@Injectable()
export class LifecycleProcessor {
  constructor(private readonly overdue: Overdue) {}

  @CronJob({ name: 'wait-nodes', cron: '* * * * *' })
  async waitNodes(_slot: Date, job: RunningJob): Promise<void> {
    await this.overdue.endWaits(job.caller, () => {
      job.checkpoint();
    });
  }

  @CronJob({ name: 'join-timeouts', cron: '* * * * *' })
  async joinTimeouts(_slot: Date, job: RunningJob): Promise<void> {
    await this.overdue.endJoins(job.caller, () => {
      job.checkpoint();
    });
  }
}
