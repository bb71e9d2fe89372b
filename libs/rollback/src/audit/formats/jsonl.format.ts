import { carried, carry, type ExportFormatter } from '../export-format.js';
import { z } from 'zod';

const sealed = z.object({ seal: z.unknown() });

/** The native one: a title, the entries as they are hashed, the seal. */
export const jsonl: ExportFormatter = {
  mediaType: 'application/x-ndjson',
  extension: 'jsonl',
  begin: (title) => `${JSON.stringify({ export: title })}\n`,
  entry: (chained) => `${JSON.stringify(carry(chained))}\n`,
  end: (seal) => `${JSON.stringify({ seal })}\n`,
  sealIn: (line) => sealed.parse(JSON.parse(line)).seal,
  async *read(lines) {
    let title = true;
    for await (const line of lines) {
      if (!title) yield carried.parse(JSON.parse(line));
      title = false;
    }
  },
};
