import { randomUUIDv7 } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import {
  Database,
  FeatureOff,
  gateContext,
  Jobs,
  PermissionMissing,
  RUNTIME,
  type Caller,
  type Executor,
  type Runtime,
} from '@belay/platform';
import { z } from 'zod';
import { SkuService } from '../goods/sku.service.js';
import { WarehouseScope } from '../warehouses/warehouse-scope.service.js';
import { ExportFiles } from './export-files.service.js';
import { ExportWriter } from './export-writer.service.js';
import { sheets, type Sheet } from './export-sheets.queries.js';
import { mostRowsAtOnce, writeExport, type ExportRequest, type ExportView, type Signature } from './export.contract.js';
import { ExportNotFound, ExportNotReady } from './export.problems.js';
import { exportById, insertExport, type ExportRow, type ExportScope } from './export.queries.js';

export const RUN_EXPORTS = 'wms.export:run';

const counted = z.tuple([z.object({ rows: z.int() })]);

/** What is in the lists, as files. */
@Injectable()
export class ExportService {
  constructor(
    private readonly database: Database,
    private readonly warehouses: WarehouseScope,
    private readonly skus: SkuService,
    private readonly files: ExportFiles,
    private readonly writer: ExportWriter,
    private readonly jobs: Jobs,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  /** Few rows are written at once; many as a job. */
  async request(by: Caller, request: ExportRequest): Promise<ExportView> {
    const on = this.database.dataSource;
    const sheet = sheets[request.kind];
    this.demand(by, sheet);
    const scope = await this.scope(on, by, request, sheet);
    const isLarge = await this.isLarge(sheet, scope);
    const id = randomUUIDv7();
    const asked = await this.database.transaction(by, async (tx) => {
      await insertExport(tx, [id, request.kind, JSON.stringify(scope), by.accountId]);
      if (isLarge) await this.jobs.add(tx, writeExport, { exportId: id });
      return { id };
    });
    // The answer to a repeated request names the first one's export.
    return this.view(isLarge ? await this.known(asked.id) : await this.writer.write(asked.id));
  }

  async get(by: Caller, id: string): Promise<ExportView> {
    return this.view(await this.own(by, id));
  }

  async file(by: Caller, id: string): Promise<Readable> {
    return this.open(await this.own(by, id));
  }

  /** For whoever has the link. */
  async download(id: string, signature: Signature): Promise<Readable> {
    if (!this.files.isSigned(id, signature)) throw new ExportNotFound(id);
    return this.open(await this.known(id));
  }

  private async open(job: ExportRow): Promise<Readable> {
    if (job.status !== 'done') throw new ExportNotReady(job.status);
    const expired = job.fileKey === null || job.fileKey === '' || (job.expiresAt?.getTime() ?? 0) < Date.now();
    const content = expired ? undefined : await this.files.read(job.fileKey);
    if (!content) throw new ExportNotFound(job.id);
    return content;
  }

  /** Only who has asked for it fetches it: it holds what they might see. */
  private async own(by: Caller, id: string): Promise<ExportRow> {
    const job = await this.known(id);
    if (job.createdBy !== by.accountId) throw new ExportNotFound(id);
    this.demand(by, sheets[job.kind]);
    return job;
  }

  private async known(id: string): Promise<ExportRow> {
    const [job] = await exportById(this.database.dataSource, [id]);
    if (!job) throw new ExportNotFound(id);
    return job;
  }

  private demand(by: Caller, { permission, feature }: Sheet): void {
    if (!by.may(permission)) throw new PermissionMissing(permission);
    if (feature === undefined || this.runtime.gate.featureMode(feature, gateContext(by)) !== 'off') return;
    throw new FeatureOff(feature);
  }

  /** The sites at which the caller may both read it and take it out. */
  private async scope(on: Executor, by: Caller, request: ExportRequest, { permission }: Sheet): Promise<ExportScope> {
    const { warehouse, sku, from = null, to = null } = request;
    const [seen, taken] = [this.warehouses.sites(by, permission), this.warehouses.sites(by, RUN_EXPORTS)];
    const sites = seen === null ? taken : seen.filter((site) => taken === null || taken.includes(site));
    const known = warehouse === undefined ? null : await this.warehouses.seen(on, by, permission, warehouse);
    if (known && !by.may(RUN_EXPORTS, known.siteId)) throw new PermissionMissing(RUN_EXPORTS);
    const goods = sku === undefined ? null : await this.skus.known(on, sku);
    return { sites, warehouse: known?.id ?? null, sku: goods?.id ?? null, from, to };
  }

  private async isLarge(
    { from }: Sheet,
    { sites, warehouse, sku, from: first, to: last }: ExportScope,
  ): Promise<boolean> {
    const some = `SELECT FROM ${from} LIMIT ${mostRowsAtOnce + 1}`;
    const [{ rows }] = counted.parse(
      await this.database.manager.query(`SELECT count(*)::integer AS rows FROM (${some}) counted`, [
        sites,
        warehouse,
        sku,
        first,
        last,
      ]),
    );
    return rows > mostRowsAtOnce;
  }

  private view(job: ExportRow): ExportView {
    const { id, kind, status, rows, sha256, expiresAt, failure, createdBy, createdAt } = job;
    return {
      id,
      kind,
      status,
      rows: rows === null ? null : Number(rows),
      sha256,
      url: status === 'done' && expiresAt ? this.files.link(id, expiresAt) : null,
      expiresAt: expiresAt?.toISOString() ?? null,
      failure,
      createdBy,
      createdAt: createdAt.toISOString(),
    };
  }
}
