import { Injectable } from '@nestjs/common';
import { CronJob, Database, Job, Jobs, type RunningJob } from '@belay/platform';
import type { z } from 'zod';
import { priceMovements } from './catch-up.contract.js';
import { warehousesWithEventRates } from './catch-up.queries.js';
import { ChargeCatchUp } from './charge-catch-up.service.js';

@Injectable()
export class ChargeProcessor {
  constructor(
    private readonly database: Database,
    private readonly jobs: Jobs,
    private readonly catchUp: ChargeCatchUp,
  ) {}

  /** Movements are charged as they are posted; this finds those that were posted while finance was off. */
  @CronJob({ name: 'price-uncharged', cron: '25 * * * *', feature: 'wms_finance' })
  async priceUncharged(_slot: Date, job: RunningJob): Promise<void> {
    for (const { id: warehouseId } of await warehousesWithEventRates(this.database.dataSource, [])) {
      await this.jobs.addNow(
        job.caller,
        priceMovements,
        { warehouseId, which: 'in want' },
        { id: `${job.id}-${warehouseId}` },
      );
    }
  }

  @Job(priceMovements)
  async price({ warehouseId, which }: z.output<typeof priceMovements.payload>, job: RunningJob): Promise<void> {
    await this.catchUp.price(job.caller, warehouseId, which, () => {
      job.checkpoint();
    });
  }
}
