import { Readable } from 'node:stream';
import { AuditTrail } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { auditActor, type Actor } from '../engine/actor.js';
import { World } from '../engine/world.js';
import type { ExportQuery } from './audit.contract.js';
import { formatters } from './export-formats.js';
import { writeExport } from './export-write.js';

export interface AuditExport {
  readonly mediaType: string;
  readonly fileName: string;
  readonly content: Readable;
}

/** Takes the trail out of the database, sealed, so that whoever gets it can tell whether it is what was written. */
@Injectable()
export class AuditExports {
  constructor(
    private readonly world: World,
    private readonly trail: AuditTrail,
  ) {}

  /** The export is an entry of the trail itself, written before the first byte. */
  async export(by: Actor, { format, from, to }: ExportQuery): Promise<AuditExport> {
    const environment = this.world.runtime.config.NODE_ENV;
    const range = `${from ?? 1} to ${to ?? 'the end'}`;
    const entry = { action: 'audit.export', subject: `audit ${range}`, environment, reason: format, outcome: 'done' };
    await this.trail.append({ actor: auditActor(by), ...entry });
    const exportedAt = new Date().toISOString();
    const title = { environment, from: from ?? null, to: to ?? null, exportedAt, exportedBy: by.id };
    const wanted = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
    const { mediaType, extension } = formatters[format];
    const text = writeExport(format, title, this.trail.entries(wanted), this.world.signer);
    const fileName = `audit-${environment}-${exportedAt.replaceAll(/[:.]/g, '-')}.${extension}`;
    return { mediaType, fileName, content: Readable.from(text, { objectMode: false }) };
  }
}
