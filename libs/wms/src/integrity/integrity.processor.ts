import { Injectable } from '@nestjs/common';
import { CronJob, type RunningJob } from '@belay/platform';
import { IntegrityRunInProgress } from './integrity.problems.js';
import { IntegrityService } from './integrity.service.js';

@Injectable()
export class IntegrityProcessor {
  constructor(private readonly integrity: IntegrityService) {}

  /** When somebody runs the checks just then, theirs will do. */
  @CronJob({ name: 'check-integrity', cron: '40 3 * * *' })
  async check(_slot: Date, job: RunningJob): Promise<void> {
    try {
      await this.integrity.run(job.caller);
    } catch (error) {
      if (!(error instanceof IntegrityRunInProgress)) throw error;
    }
  }
}
