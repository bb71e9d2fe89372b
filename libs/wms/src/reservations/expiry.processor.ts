import { Injectable } from '@nestjs/common';
import { CronJob, Database, type RunningJob } from '@belay/platform';
import { lockExpired } from './allocation.queries.js';
import { Allocations } from './allocation.service.js';

const AT_ONCE = 100;

/** Gives back what was promised for a time that is over. */
@Injectable()
export class ReservationExpiry {
  constructor(
    private readonly allocations: Allocations,
    private readonly database: Database,
  ) {}

  @CronJob({ name: 'expire-reservations', cron: '* * * * *', feature: 'wms_write' })
  async expire(_slot: Date, job: RunningJob): Promise<void> {
    while ((await this.expireSome(job)) === AT_ONCE);
  }

  private expireSome(job: RunningJob): Promise<number> {
    return this.database.transaction(job.caller, async (tx) => {
      const expired = await lockExpired(tx, [AT_ONCE]);
      await this.allocations.end(
        tx,
        expired.map(({ id }) => id),
        'expired',
      );
      job.checkpoint();
      return expired.length;
    });
  }
}
