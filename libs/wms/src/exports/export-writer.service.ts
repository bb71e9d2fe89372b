import { Injectable } from '@nestjs/common';
import { Database } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { ExportFiles } from './export-files.service.js';
import { csvLine, csvRow } from './export-file.rules.js';
import { sheets } from './export-sheets.queries.js';
import { ExportNotFound } from './export.problems.js';
import { exportById, finishExport, type ExportRow } from './export.queries.js';

const rowsAtOnce = 1_000;
const fetched = z.array(z.object({ cells: z.array(z.string().nullable()) }));

/** Writes the files. A thousand rows are in memory at a time, all of them as they were at one moment. */
@Injectable()
export class ExportWriter {
  constructor(
    private readonly database: Database,
    private readonly files: ExportFiles,
  ) {}

  async write(id: string, checkpoint: () => void = () => undefined): Promise<ExportRow> {
    const on = this.database.dataSource;
    const [job] = await exportById(on, [id]);
    if (!job) throw new ExportNotFound(id);
    if (job.status === 'done') return job;
    let rows = 0;
    const { key, sha256 } = await on.transaction('REPEATABLE READ', (tx) =>
      this.files.write(
        id,
        lines(tx, job, (count) => {
          rows += count;
          checkpoint();
        }),
      ),
    );
    const [done] = await finishExport(on, [id, key, rows, sha256]);
    if (!done) throw new ExportNotFound(id);
    return done;
  }
}

async function* lines(tx: EntityManager, { kind, filters }: ExportRow, counted: (rows: number) => void) {
  const { columns, from, order } = sheets[kind];
  yield csvLine(columns.map(({ name }) => name));
  const cells = columns.map(({ sql }) => sql).join(', ');
  const { sites, warehouse, sku, from: first, to: last } = filters;
  await tx.query('SET TRANSACTION READ ONLY');
  await tx.query(
    `DECLARE exported NO SCROLL CURSOR FOR SELECT ARRAY[${cells}] AS cells FROM ${from} ORDER BY ${order}`,
    [sites, warehouse, sku, first, last],
  );
  for (;;) {
    const rows = fetched.parse(await tx.query(`FETCH ${rowsAtOnce} FROM exported`));
    if (rows.length === 0) return;
    counted(rows.length);
    yield rows.map((row) => csvRow(columns, row.cells)).join('');
  }
}
