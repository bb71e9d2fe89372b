import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline as flow, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable, PayloadTooLargeException } from '@nestjs/common';
import { InvalidRequest } from '@belay/platform';
import { CsvError, parse } from 'csv-parse';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { unguardCell } from '../csv-cell.rules.js';
import { delimiterOf, headerOf, type Header } from './csv-file.rules.js';
import { mostBytes, mostRows } from './import.contract.js';
import { insertRows } from './import.queries.js';
import { Issues } from './import-issues.service.js';
import type { Batch, Importer } from './importer.service.js';
import { RowCells, type ReadRow } from './row-cells.rules.js';

const rowsAtOnce = 1_000;
const startBytes = 65_536;

/** A file that has come in, until it is released. */
export interface Spooled extends AsyncDisposable {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

const record = z.object({ info: z.object({ lines: z.number() }), record: z.array(z.string()) });

interface Staged {
  readonly line: number;
  readonly read: ReadRow;
}

/** Takes a file in, and apart. None of it is ever in memory as a whole. */
@Injectable()
export class ImportStaging {
  constructor(private readonly issues: Issues) {}

  /** Keeps what comes in, so that a slow sender holds no connection to the database. 413 past 20 MB. */
  async spool(body: Readable): Promise<Spooled> {
    const path = join(tmpdir(), `belay-import-${randomUUID()}`);
    const release = () => rm(path, { force: true });
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      await pipeline(
        body,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            bytes += chunk.length;
            if (bytes > mostBytes) throw new PayloadTooLargeException();
            hash.update(chunk);
            yield chunk;
          }
        },
        createWriteStream(path, { mode: 0o600 }),
      );
    } catch (error) {
      await release();
      throw error;
    }
    return { path, bytes, sha256: hash.digest('hex'), [Symbol.asyncDispose]: release };
  }

  /** Columns of the file that mean nothing. Throws `invalid-request` when others are missing. */
  async ignoredColumns(path: string, importer: Importer): Promise<readonly string[]> {
    for await (const { record: cells } of records(path)) return checkedHeader(cells, importer).ignored;
    throw invalid('#/csv', 'is empty');
  }

  /** Puts the rows into the database, with what is wrong with each by itself. */
  async stage(tx: EntityManager, path: string, importer: Importer, batch: Batch): Promise<void> {
    let header: Header | undefined;
    let rows = 0;
    let some: Staged[] = [];
    for await (const { info, record: cells } of records(path)) {
      if (!header) {
        header = checkedHeader(cells, importer);
        continue;
      }
      rows += 1;
      if (rows > mostRows) throw invalid('#/csv', `has more than ${mostRows} rows`);
      some.push({ line: info.lines, read: readRow(cells, header, importer, batch) });
      if (some.length < rowsAtOnce) continue;
      await this.keep(tx, batch, rows - some.length, some);
      some = [];
    }
    if (rows === 0) throw invalid('#/csv', 'has no rows');
    await this.keep(tx, batch, rows - some.length, some);
  }

  private async keep(
    tx: EntityManager,
    { row: { id }, warehouse }: Batch,
    before: number,
    some: readonly Staged[],
  ): Promise<void> {
    if (some.length === 0) return;
    await insertRows(tx, [
      id,
      some.map((_, n) => before + n + 1),
      some.map(({ line }) => line),
      some.map(({ read }) => read.document),
      some.map(({ read }) => (read.facts === null ? null : (read.time?.text ?? null))),
      some.map(({ read }) => read.time?.isLocal ?? false),
      some.map(({ read }) => (read.facts === null ? null : JSON.stringify(read.facts))),
      warehouse?.timezone ?? 'UTC',
    ]);
    const found = some.flatMap(({ read }, n) => read.issues.map((issue) => ({ ...issue, row: before + n + 1 })));
    await this.issues.add(tx, id, found);
  }
}

async function* records(path: string): AsyncGenerator<z.infer<typeof record>> {
  const delimiter = delimiterOf(await startOf(path));
  const options = {
    bom: true,
    delimiter,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: 1_000_000,
  };
  // A failure of either side ends the loop below.
  const rows = flow(createReadStream(path), parse(options), () => undefined);
  try {
    for await (const row of rows) yield record.parse(row);
  } catch (error) {
    if (error instanceof CsvError) throw invalid('#/csv', error.message);
    throw error;
  }
}

async function startOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(startBytes), 0, startBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function checkedHeader(cells: readonly string[], importer: Importer): Header {
  const header = headerOf(cells, importer.reader.columns);
  const faults = [
    ...header.missing.map((name) => ({ pointer: '#/csv/1', detail: `has no column ${name}` })),
    ...header.repeated.map((name) => ({ pointer: '#/csv/1', detail: `has more than one column ${name}` })),
  ];
  if (faults.length > 0) throw new InvalidRequest(faults);
  return header;
}

function readRow(cells: readonly string[], { places }: Header, importer: Importer, batch: Batch): ReadRow {
  const named = new Map([...places].map(([name, place]) => [name, unguardCell(cells[place] ?? '')]));
  const row = new RowCells(named, batch.row.options.dates);
  const most = Math.max(...places.values()) + 1;
  if (cells.length < most) row.error(null, 'cells-missing', `has ${cells.length} cells, and the header ${most}`);
  for (const [name, text] of named) {
    if (text.includes('\uFFFD') || text.includes('\0')) row.error(name, 'not-text', 'is not UTF-8 text');
  }
  const { reader } = importer;
  const read = reader.read(row, { warehouse: batch.warehouse });
  if (!row.hasErrors) return read;
  // Texts that cannot be stored are told of and not kept.
  const document = read.document.replaceAll('\0', '').slice(0, 200);
  return { ...read, document, facts: null, issues: row.issues };
}

function invalid(pointer: string, detail: string): InvalidRequest {
  return new InvalidRequest([{ pointer, detail }]);
}
