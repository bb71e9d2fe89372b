import { Injectable } from '@nestjs/common';
import { CronJob, Database, Job, Jobs, type RunningJob } from '@belay/platform';
import type { z } from 'zod';
import { settleStorage } from '../charges/catch-up.contract.js';
import { warehousesToSettle } from './storage.queries.js';
import { StorageRun } from './storage-run.service.js';

@Injectable()
export class StorageProcessor {
  constructor(
    private readonly database: Database,
    private readonly jobs: Jobs,
    private readonly runs: StorageRun,
  ) {}

  /** A week is due two hours after its snapshot day, in the time of the warehouse; what was missed is made up for. */
  @CronJob({ name: 'settle-storage-weeks', cron: '5 * * * *', feature: 'wms_finance' })
  async settleWeeks(_slot: Date, job: RunningJob): Promise<void> {
    for (const { id: warehouseId } of await warehousesToSettle(this.database.dataSource, [])) {
      await this.jobs.addNow(job.caller, settleStorage, { warehouseId }, { id: `${job.id}-${warehouseId}` });
    }
  }

  @Job(settleStorage)
  async settle({ warehouseId }: z.output<typeof settleStorage.payload>, job: RunningJob): Promise<void> {
    await this.runs.settle(job.caller, warehouseId, () => {
      job.checkpoint();
    });
  }
}
