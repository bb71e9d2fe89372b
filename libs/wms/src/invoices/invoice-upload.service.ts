import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { PayloadTooLargeException } from '@nestjs/common';
import { InvalidRequest } from '@belay/platform';
import { z } from 'zod';

export interface UploadedFile {
  readonly text: string;
  readonly sha256: string;
}

/** The text of a file that is being uploaded. No more of it is kept than may be; the rest is not even read. */
export async function uploadedText(body: Readable, mostBytes: number): Promise<UploadedFile> {
  const hash = createHash('sha256');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const part = z.instanceof(Buffer).parse(chunk);
    bytes += part.length;
    if (bytes > mostBytes) throw new PayloadTooLargeException();
    hash.update(part);
    chunks.push(part);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    return { text, sha256: hash.digest('hex') };
  } catch {
    throw new InvalidRequest([{ pointer: '#', detail: 'must be UTF-8' }]);
  }
}
