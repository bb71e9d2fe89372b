import { Injectable } from '@nestjs/common';
import { CronJob, Database, Job, type RunningJob } from '@belay/platform';
import type { z } from 'zod';
import { ExportFiles } from './export-files.service.js';
import { ExportWriter } from './export-writer.service.js';
import { writeExport } from './export.contract.js';
import { expiredExports, forgetFile } from './export.queries.js';

@Injectable()
export class ExportProcessor {
  constructor(
    private readonly database: Database,
    private readonly files: ExportFiles,
    private readonly writer: ExportWriter,
  ) {}

  @Job(writeExport)
  async write({ exportId }: z.output<typeof writeExport.payload>, job: RunningJob): Promise<void> {
    await this.writer.write(exportId, () => {
      job.checkpoint();
    });
  }

  @CronJob({ name: 'remove-exports', cron: '20 * * * *' })
  async remove(_slot: Date, job: RunningJob): Promise<void> {
    for (const { id, fileKey } of await expiredExports(this.database.dataSource, [])) {
      job.checkpoint();
      await this.files.remove(fileKey);
      await forgetFile(this.database.dataSource, [id]);
    }
  }
}
