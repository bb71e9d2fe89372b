import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { FlagsUnavailable, type FlagFeed, type FlagOrigin } from './flag-feed.js';
import { parseFlagsText, type FlagsDocument } from './flags-document.js';
import { isMissing, reasonOf } from './reason.js';

const lookEveryMs = 100;

/**
 * Flags of a file that people and programs edit while we run. Its state is looked at instead of watched by the kernel:
 * that survives replacement by rename and works on every file system.
 */
export class FileFeed implements FlagFeed {
  origin: FlagOrigin = 'defaults';
  agreedAt: Date | undefined;
  #stop: (() => void) | undefined;

  constructor(
    private readonly path: string,
    private readonly log: Logger,
  ) {}

  async begin(): Promise<FlagsDocument> {
    try {
      return await this.read();
    } catch (error) {
      if (isMissing(error)) return { version: 2, features: [] };
      throw new FlagsUnavailable(`FLAGS_FILE ${this.path} holds no flags: ${reasonOf(error)}`);
    }
  }

  follow(apply: (flags: FlagsDocument) => void): void {
    let queue = Promise.resolve();
    const look = () => {
      queue = queue.then(() => this.look(apply));
    };
    watchFile(this.path, { interval: lookEveryMs, persistent: false }, look);
    this.#stop = () => {
      unwatchFile(this.path, look);
    };
    // Between the first reading and now it may have changed.
    look();
  }

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  private async look(apply: (flags: FlagsDocument) => void): Promise<void> {
    try {
      const flags = await this.read();
      if (this.#stop) apply(flags);
    } catch (error) {
      if (isMissing(error) && this.origin === 'defaults') return;
      this.log.error({ file: this.path, reason: reasonOf(error) }, 'flags file not usable, last state kept');
    }
  }

  private async read(): Promise<FlagsDocument> {
    const flags = parseFlagsText(await readFile(this.path, 'utf8'));
    this.origin = 'file';
    this.agreedAt = new Date();
    return flags;
  }
}
