import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { FlagsUnavailable, type FlagFeed, type FlagOrigin } from './flag-feed.js';
import { parseFlags, parseFlagsText, type FlagsDocument } from './flags-document.js';
import { reasonOf } from './reason.js';

export interface UnleashFeedOptions {
  /** Base of the Unleash API, e.g. http://localhost:4242/api */
  readonly url: string;
  readonly token: string;
  readonly backupDir: string;
  readonly bootstrapFile: string | undefined;
  readonly instanceId: string;
  readonly log: Logger;
}

/** The server takes a moment to publish a change, too: together it must not be more than a second and a half. */
const pollMs = 500;
const timeoutMs = 2_000;
const attemptsAtBoot = 3;

/**
 * Flags of an Unleash server, asked for twice a second, whatever it answers: the client library's own fetcher stops for
 * good after a 401 and slows down for a minute after a few 503s. The last state is kept in a file for the next boot.
 */
export class UnleashFeed implements FlagFeed {
  origin: FlagOrigin = 'unleash';
  agreedAt: Date | undefined;
  readonly #closed = new AbortController();
  readonly #backup: string;
  #etag: string | undefined;
  #failing = false;

  constructor(private readonly options: UnleashFeedOptions) {
    this.#backup = join(options.backupDir, 'unleash.json');
  }

  async begin(): Promise<FlagsDocument> {
    let reason = '';
    for (let attempt = 1; attempt <= attemptsAtBoot; attempt += 1) {
      try {
        const flags = await this.fetch();
        if (flags) return flags;
      } catch (error) {
        reason = reasonOf(error);
      }
      if (attempt < attemptsAtBoot) await sleep(500);
    }
    return this.standIn(reason);
  }

  follow(apply: (flags: FlagsDocument) => void): void {
    void this.poll(apply);
  }

  close(): void {
    this.#closed.abort();
  }

  private async poll(apply: (flags: FlagsDocument) => void): Promise<void> {
    const { signal } = this.#closed;
    for (let due = Date.now() + pollMs; ; due = Math.max(due + pollMs, Date.now())) {
      try {
        await sleep(Math.max(0, due - Date.now()), undefined, { signal, ref: false });
        const flags = await this.fetch();
        if (flags) apply(flags);
        if (this.#failing) this.options.log.info({ url: this.options.url }, 'unleash answers again');
        this.#failing = false;
      } catch (error) {
        if (signal.aborted) return;
        if (!this.#failing) {
          this.options.log.warn(
            { url: this.options.url, reason: reasonOf(error) },
            'unleash not usable, last state kept',
          );
        }
        this.#failing = true;
      }
    }
  }

  /** Undefined when nothing has changed since the last time. */
  private async fetch(): Promise<FlagsDocument | undefined> {
    const { url, token, instanceId } = this.options;
    const response = await fetch(`${url.replace(/\/+$/, '')}/client/features`, {
      headers: {
        authorization: token,
        'unleash-appname': 'belay',
        'unleash-instanceid': instanceId,
        // From this version on segments come once, by id.
        'unleash-client-spec': '5.2.0',
        ...(this.#etag !== undefined && { 'if-none-match': this.#etag }),
      },
      signal: AbortSignal.any([this.#closed.signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (response.status !== 304 && !response.ok) {
      await response.body?.cancel();
      throw new Error(`it answers ${response.status}`);
    }
    const flags = response.status === 304 ? undefined : parseFlags(await response.json());
    if (flags) {
      this.#etag = response.headers.get('etag') ?? undefined;
      await this.keep(flags);
    }
    this.origin = 'unleash';
    this.agreedAt = new Date();
    return flags;
  }

  /** Several processes of a host share the file: each replaces it whole. */
  private async keep(flags: FlagsDocument): Promise<void> {
    const draft = `${this.#backup}.${randomUUID()}`;
    try {
      await mkdir(dirname(this.#backup), { recursive: true });
      await writeFile(draft, JSON.stringify(flags));
      await rename(draft, this.#backup);
    } catch (error) {
      this.options.log.error({ file: this.#backup, reason: reasonOf(error) }, 'flags not backed up');
    }
  }

  private async standIn(reason: string): Promise<FlagsDocument> {
    const { url, bootstrapFile, log } = this.options;
    const tried = [`Unleash at ${url} is not usable (${reason})`];
    for (const [origin, file] of [
      ['backup', this.#backup],
      ['bootstrap', bootstrapFile],
    ] as const) {
      if (file === undefined) {
        tried.push('FLAGS_BOOTSTRAP_FILE is not set');
        continue;
      }
      try {
        const flags = parseFlagsText(await readFile(file, 'utf8'));
        this.origin = origin;
        log.warn({ url, reason, file }, `flags taken from the ${origin} file`);
        return flags;
      } catch (error) {
        tried.push(`the ${origin} file is not readable (${reasonOf(error)})`);
      }
    }
    throw new FlagsUnavailable(`Refusing to start without flags: ${tried.join(', ')}.`);
  }
}
