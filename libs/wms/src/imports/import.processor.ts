import { Injectable } from '@nestjs/common';
import {
  CronJob,
  Database,
  FeatureOff,
  FeatureReadOnly,
  Job,
  JobHeld,
  Problem,
  type RunningJob,
} from '@belay/platform';
import type { z } from 'zod';
import { callerOf } from './commit-order.contract.js';
import { ImportAccess } from './import-access.service.js';
import { ImportCommits } from './import-commits.service.js';
import { commitImport } from './import.contract.js';
import { ImportHasErrors } from './import.problems.js';
import { breakOffBatch, forgetRows, giveUpBatches } from './import.queries.js';
import { Importers } from './importers.service.js';

@Injectable()
export class ImportProcessor {
  constructor(
    private readonly database: Database,
    private readonly access: ImportAccess,
    private readonly importers: Importers,
    private readonly commits: ImportCommits,
  ) {}

  @Job(commitImport)
  async commit({ importId }: z.output<typeof commitImport.payload>, job: RunningJob): Promise<void> {
    const on = this.database.dataSource;
    const batch = await this.access.seen(on, job.caller, importId);
    const { status, options, kind } = batch.row;
    const { commit } = options;
    if (status !== 'committing' || !commit) return;
    const by = callerOf(commit);
    const importer = this.importers.of(kind);
    try {
      await this.commits.commit(importId, commit, undefined, () => {
        job.checkpoint();
        this.access.demand(by, importer, batch, false);
      });
    } catch (error) {
      // It waits until it is switched on again.
      if (error instanceof FeatureOff || error instanceof FeatureReadOnly) throw new JobHeld(error.detail);
      // What is wrong with the file is in its report.
      if (error instanceof ImportHasErrors) return;
      if (error instanceof Problem && error.kind !== 'unavailable') await breakOffBatch(on, [importId, error.detail]);
      throw error;
    }
  }

  @CronJob({ name: 'give-up-imports', cron: '40 3 * * *' })
  async giveUp(_slot: Date, job: RunningJob): Promise<void> {
    await this.database.transaction(job.caller, async (tx) => {
      for (const { id } of await giveUpBatches(tx, [])) await forgetRows(tx, [id]);
      job.checkpoint();
    });
  }
}
