import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  type CipherGCM,
  type DecipherGCM,
} from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough, type Readable, Transform, type TransformCallback, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';

const IV_BYTES = 12;
const TAG_BYTES = 16;
const LEVEL = 3;
const LINE_FEED = 0x0a;

/** Where the files of one backup are, and under which key; a file cannot be taken for another one's, or another backup's. */
export interface Vessel {
  readonly id: string;
  readonly folder: string;
  readonly key: Buffer | null;
}

export interface WrittenFile {
  readonly path: string;
  /** As it lies on the disk. */
  readonly bytes: number;
  readonly sha256: string;
  readonly plainBytes: bigint;
  readonly lines: bigint;
}

/**
 * Packs (`.zst`), encrypts when there is a key, writes and syncs; figures are of exactly what was written. The content is
 * opened when somebody listens to it: a stream that fails before would end the process.
 */
export async function writeFileOf(
  vessel: Vessel,
  path: string,
  content: () => Readable,
  watch: { readonly signal?: AbortSignal; readonly written?: (bytes: number) => void } = {},
): Promise<WrittenFile> {
  const target = join(vessel.folder, path);
  await mkdir(dirname(target), { recursive: true });
  const plain = new LineCount();
  const meter = new Meter(watch.written);
  const through = [
    ...(isPacked(path) ? [createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: LEVEL } })] : []),
    ...(vessel.key ? [new Sealing(vessel.key, nameOf(vessel, path))] : []),
  ];
  const file = createWriteStream(target, { flags: 'wx', mode: 0o600, flush: true });
  await pipeline([content(), plain, ...through, meter, file], watch.signal ? { signal: watch.signal } : {});
  return { path, bytes: meter.bytes, sha256: meter.sha256(), plainBytes: plain.bytes, lines: plain.lines };
}

/**
 * Carries the content of a file to where it is needed, as it was before it was packed; resolves when the last byte was
 * taken. An encrypted file that is not whole fails at its end.
 */
export async function pourFile(vessel: Vessel, path: string, into: Writable, signal?: AbortSignal): Promise<LineCount> {
  const stream = await opened(join(vessel.folder, path), 1 << 18);
  const through = [
    ...(vessel.key ? [new Opening(vessel.key, nameOf(vessel, path))] : []),
    ...(isPacked(path) ? [createZstdDecompress()] : []),
  ];
  const count = new LineCount();
  await pipeline([stream, ...through, count, into], signal ? { signal } : {});
  return count;
}

/** Keys with the same name are the same; nothing else can be learned from it. */
export function keyId(key: Buffer): string {
  return createHmac('sha256', key).update('belay backup key').digest('hex').slice(0, 16);
}

export async function textOf(vessel: Vessel, path: string): Promise<string> {
  const parts: Buffer[] = [];
  const sink = new PassThrough().on('data', (part: Buffer) => parts.push(part));
  await pourFile(vessel, path, sink);
  return Buffer.concat(parts).toString('utf8');
}

export async function sha256Of(file: string, signal?: AbortSignal): Promise<{ bytes: number; sha256: string }> {
  const meter = new Meter();
  meter.resume();
  await pipeline([await opened(file, 1 << 20), meter], signal ? { signal } : {});
  return { bytes: meter.bytes, sha256: meter.sha256() };
}

/** Read in pieces of so many bytes; most files are smaller, and a large buffer for each would keep the collector busy. */
async function opened(file: string, most: number): Promise<Readable> {
  const { size } = await stat(file);
  return createReadStream(file, { highWaterMark: Math.min(most, size + 1) });
}

function isPacked(path: string): boolean {
  return path.endsWith('.zst');
}

function nameOf({ id }: Vessel, path: string): Buffer {
  return Buffer.from(`${id}/${path}`);
}

/** Counts what passes: in COPY's text format a line is a row, because line feeds of values are escaped. */
export class LineCount extends Transform {
  bytes = 0n;
  lines = 0n;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += BigInt(chunk.length);
    let lines = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1)) lines++;
    this.lines += BigInt(lines);
    done(null, chunk);
  }
}

class Meter extends Transform {
  bytes = 0;
  readonly #hash = createHash('sha256');

  constructor(private readonly written?: (bytes: number) => void) {
    super();
  }

  sha256(): string {
    return this.#hash.digest('hex');
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    this.written?.(chunk.length);
    done(null, chunk);
  }
}

/** AES-256-GCM: the nonce in front, the tag behind. */
class Sealing extends Transform {
  readonly #cipher: CipherGCM;
  readonly #iv = randomBytes(IV_BYTES);
  #begun = false;

  constructor(key: Buffer, name: Buffer) {
    super();
    this.#cipher = createCipheriv('aes-256-gcm', key, this.#iv).setAAD(name);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#begin();
    done(null, this.#cipher.update(chunk));
  }

  override _flush(done: TransformCallback): void {
    this.#begin();
    this.push(this.#cipher.final());
    done(null, this.#cipher.getAuthTag());
  }

  #begin(): void {
    if (!this.#begun) this.push(this.#iv);
    this.#begun = true;
  }
}

class Opening extends Transform {
  #decipher: DecipherGCM | undefined;
  #held = Buffer.alloc(0);

  constructor(
    private readonly key: Buffer,
    private readonly aad: Buffer,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    if (!this.#decipher && this.#held.length >= IV_BYTES) this.#begin();
    const ready = this.#held.length - TAG_BYTES;
    if (this.#decipher && ready > 0) {
      this.push(this.#decipher.update(this.#held.subarray(0, ready)));
      this.#held = this.#held.subarray(ready);
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    if (!this.#decipher || this.#held.length !== TAG_BYTES) {
      done(new Error('the file is too short to be encrypted'));
      return;
    }
    this.#decipher.setAuthTag(this.#held);
    try {
      done(null, this.#decipher.final());
    } catch {
      done(new Error('the file was changed, or encrypted under another BACKUP_KEY'));
    }
  }

  #begin(): void {
    this.#decipher = createDecipheriv('aes-256-gcm', this.key, this.#held.subarray(0, IV_BYTES)).setAAD(this.aad);
    this.#held = this.#held.subarray(IV_BYTES);
  }
}
