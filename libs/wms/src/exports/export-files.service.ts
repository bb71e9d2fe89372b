import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '@belay/platform';
import type { Signature } from './export.contract.js';

const keyRule = /^wms-export-[0-9a-f-]{36}\.csv$/;

/** Files of exports, in a folder that all processes share. */
@Injectable()
export class ExportFiles {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** Writes it whole or not at all. */
  async write(id: string, lines: AsyncIterable<string>): Promise<{ key: string; sha256: string }> {
    const key = `wms-export-${id}.csv`;
    const hash = createHash('sha256');
    await mkdir(this.config.FILES_DIR, { recursive: true });
    const part = `${this.pathOf(key)}.part`;
    try {
      await pipeline(
        lines,
        async function* (chunks: AsyncIterable<string>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            yield chunk;
          }
        },
        createWriteStream(part, { mode: 0o600 }),
      );
      await rename(part, this.pathOf(key));
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
    return { key, sha256: hash.digest('hex') };
  }

  /** Undefined when it is not there any more. */
  async read(key: string): Promise<Readable | undefined> {
    const path = this.pathOf(key);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    return isThere ? createReadStream(path) : undefined;
  }

  async remove(key: string): Promise<void> {
    await rm(this.pathOf(key), { force: true });
  }

  /** A link that is good for whoever has it, until the time. */
  link(id: string, expiresAt: Date): string {
    const expires = Math.floor(expiresAt.getTime() / 1_000);
    return `/api/wms/exports/${id}/download?expires=${expires}&signature=${this.sign(id, expires).toString('base64url')}`;
  }

  isSigned(id: string, { expires, signature }: Signature): boolean {
    if (expires * 1_000 < Date.now()) return false;
    const given = Buffer.from(signature, 'base64url');
    const right = this.sign(id, expires);
    return given.length === right.length && timingSafeEqual(given, right);
  }

  private sign(id: string, expires: number): Buffer {
    return createHmac('sha256', this.config.SECRET_KEY).update(`wms.export ${id} ${expires}`).digest();
  }

  private pathOf(key: string): string {
    if (!keyRule.test(key)) throw new Error(`${key} is no file of an export`);
    return join(this.config.FILES_DIR, key);
  }
}
