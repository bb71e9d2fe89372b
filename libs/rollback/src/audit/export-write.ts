import { createHash } from 'node:crypto';
import type { AuditBatch } from '@belay/platform';
import canonicalize from 'canonicalize';
import type { Signer } from '../engine/signer.js';
import type { ExportFormat } from './audit.contract.js';
import { EXPORT_VERSION, exportSeal, type ExportSeal, type ExportTitle } from './export-format.js';
import { formatters } from './export-formats.js';

/** The text of an export, piece by piece; the last one is the seal. */
export async function* writeExport(
  format: ExportFormat,
  title: Omit<ExportTitle, 'head'>,
  batches: AsyncIterable<AuditBatch>,
  signer: Signer,
): AsyncGenerator<string> {
  const formatter = formatters[format];
  const digest = createHash('sha256');
  let told: ExportTitle | undefined;
  let entries = 0;
  for await (const { entries: some, head } of batches) {
    let text = '';
    if (!told) {
      told = { ...title, head: head ? { seq: head.seq, hash: head.hash.toString('hex') } : null };
      text = formatter.begin(told);
    }
    for (const chained of some) text += formatter.entry(chained);
    entries += some.length;
    digest.update(text);
    yield text;
  }
  const unsigned = {
    schemaVersion: EXPORT_VERSION,
    format,
    ...(told ?? { ...title, head: null }),
    entries,
    sha256: digest.digest('hex'),
  } as const;
  // In the order of the schema: a seal that is read and written again is the same to the byte.
  yield formatter.end(exportSeal.parse({ ...unsigned, signature: signer.sign(sealBytes(unsigned)) }));
}

export function sealBytes(seal: Omit<ExportSeal, 'signature'>): Buffer {
  return Buffer.from(canonicalize(seal) ?? '');
}
