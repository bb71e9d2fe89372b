import { Body, Controller, Get, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, Public, Requires, type Caller } from '@belay/platform';
import { id } from '../wms.contract.js';
import {
  exportRequest,
  exportView,
  signature,
  type ExportRequest,
  type ExportView,
  type Signature,
} from './export.contract.js';
import { ExportService, RUN_EXPORTS } from './export.service.js';

const csv = { type: 'text/csv; charset=utf-8', disposition: 'attachment; filename="export.csv"' };

@ApiTags('wms')
@Controller('wms/exports')
@Requires(RUN_EXPORTS)
export class ExportController {
  constructor(private readonly exports: ExportService) {}

  @Post()
  @Endpoint('Export a list as a CSV file', {
    status: 201,
    returns: exportView,
    problems: ['404 feature-off', '404 sku-not-found', '404 warehouse-not-found'],
    description:
      'What you see of it, in an order that does not change; amounts are exact, and no cell is run by a spreadsheet. More ' +
      'than 10,000 rows are written by a job: read it again until it is done. The file is there for a day.',
  })
  request(@By() by: Caller, @Body({ schema: exportRequest }) body: ExportRequest): Promise<ExportView> {
    return this.exports.request(by, body);
  }

  @Get(':id')
  @Endpoint('Read how far an export is', { returns: exportView, problems: ['404 export-not-found', '404 feature-off'] })
  get(@By() by: Caller, @Param('id', { schema: id }) exportId: string): Promise<ExportView> {
    return this.exports.get(by, exportId);
  }

  @Get(':id/file')
  @Endpoint('Fetch the file of an export', {
    download: 'text/csv',
    problems: ['404 export-not-found', '404 feature-off', '409 export-not-ready'],
  })
  async file(@By() by: Caller, @Param('id', { schema: id }) exportId: string): Promise<StreamableFile> {
    return new StreamableFile(await this.exports.file(by, exportId), csv);
  }

  @Get(':id/download')
  @Public()
  @Endpoint('Fetch the file of an export by its link', {
    download: 'text/csv',
    problems: ['404 export-not-found', '409 export-not-ready'],
    description: 'The link is the `url` of the export, and good for whoever has it.',
  })
  async download(
    @Param('id', { schema: id }) exportId: string,
    @Query({ schema: signature }) query: Signature,
  ): Promise<StreamableFile> {
    return new StreamableFile(await this.exports.download(exportId, query), csv);
  }
}
