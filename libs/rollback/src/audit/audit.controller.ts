import { By, Endpoint, Requires, type Caller, type List } from '@belay/platform';
import { Controller, Get, Query, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { actorOf } from '../engine/actor.js';
import {
  auditFilter,
  auditList,
  auditVerification,
  exportQuery,
  verifyQuery,
  type AuditEntryView,
  type AuditFilter,
  type AuditVerification,
  type ExportQuery,
  type VerifyQuery,
} from './audit.contract.js';
import { AuditReader } from './audit-reader.service.js';
import { AuditExports } from './exports.service.js';

/** What was done to the application, by whom and why, in a chain that shows every change. */
@ApiTags('rollback')
@Controller('rollback/audit')
export class AuditController {
  constructor(
    private readonly reader: AuditReader,
    private readonly exports: AuditExports,
  ) {}

  @Get()
  @Requires('rollback.audit:read')
  @Endpoint('Read the audit trail', { returns: auditList, description: 'Newest first.' })
  list(@Query({ schema: auditFilter }) query: AuditFilter): Promise<List<AuditEntryView>> {
    return this.reader.list(query);
  }

  @Get('verify')
  @Requires('rollback.audit:read')
  @Endpoint('Verify the audit trail', {
    returns: auditVerification,
    description:
      'Walks the chain, and without a range also checks every anchor against its signature, the entries and the anchor file. ' +
      'With `seq` one entry is proven by its Merkle path, without the rest.',
    problems: ['404 audit-entry-not-found', '409 audit-entry-not-anchored'],
  })
  verify(@Query({ schema: verifyQuery }) query: VerifyQuery): Promise<AuditVerification> {
    return this.reader.verify(query);
  }

  @Get('export')
  @Requires('rollback.audit:export')
  @Endpoint('Export the audit trail', {
    download: 'application/octet-stream',
    description:
      'JSON Lines, CSV, OCSF 1.3 or CEF, a line each, or a page. The last line is a signed seal with range, head and ' +
      'SHA-256 of all that stands before it; `belay audit verify --file` checks both. The export is audited.',
  })
  async export(@By() by: Caller, @Query({ schema: exportQuery }) query: ExportQuery): Promise<StreamableFile> {
    const { mediaType, fileName, content } = await this.exports.export(actorOf(by), query);
    return new StreamableFile(content, { type: mediaType, disposition: `attachment; filename="${fileName}"` });
  }
}
