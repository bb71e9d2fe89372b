import { Injectable } from '@nestjs/common';
import { CronJob, Database, type RunningJob } from '@belay/platform';
import { DisputeStates } from './dispute-states.service.js';
import { overdueDisputes } from './dispute.queries.js';
import { slaDays } from './dispute.rules.js';

const BATCH = 100;

@Injectable()
export class DisputeProcessor {
  constructor(
    private readonly database: Database,
    private readonly states: DisputeStates,
  ) {}

  /** Says once of every dispute that it has stood in its state for longer than it is given. */
  @CronJob({ name: 'watch-disputes', cron: '23 * * * *', feature: 'wms_finance' })
  async watch(_slot: Date, job: RunningJob): Promise<void> {
    for (let told = BATCH; told === BATCH;) {
      told = await this.database.transaction(job.caller, async (tx) => {
        const late = await overdueDisputes(tx, [Object.keys(slaDays), Object.values(slaDays), BATCH]);
        for (const dispute of late) {
          await this.states.note(tx, job.caller, dispute.id, 'overdue', dispute.status);
          await this.states.announce(tx, dispute, dispute.status, true);
        }
        job.checkpoint();
        return late.length;
      });
    }
  }
}
