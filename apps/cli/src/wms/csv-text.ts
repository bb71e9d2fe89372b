import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { z } from 'zod';

const record = z.record(z.string(), z.string());

/** The content of a file, which may be compressed: `x.csv.gz` is read when there is no `x.csv`. */
export async function contentOf(path: string): Promise<Readable> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  const found = isThere ? path : `${path}.gz`;
  const raw = createReadStream(found);
  // A failure of either side ends whoever reads.
  return found.endsWith('.gz') ? pipeline(raw, createGunzip(), () => undefined) : raw;
}

/** The rows of a file by the names of its columns, one at a time. */
export async function* recordsOf(path: string): AsyncGenerator<Record<string, string>> {
  const rows = pipeline(await contentOf(path), parse({ bom: true, columns: true }), () => undefined);
  for await (const row of rows) yield record.parse(row);
}

/** A line of a file that Belay reads. */
export function lineOf(cells: readonly (string | number | undefined)[]): string {
  return `${cells.map((cell) => quoted(String(cell ?? ''))).join(',')}\n`;
}

function quoted(cell: string): string {
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** The same text in fewer pieces: each one costs a round through the network stack. */
export async function* inChunks(lines: AsyncIterable<string>, size = 65_536): AsyncGenerator<string> {
  let chunk = '';
  for await (const line of lines) {
    chunk += line;
    if (chunk.length < size) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}
