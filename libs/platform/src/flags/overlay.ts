import type pg from 'pg';
import type { Logger } from 'pino';
import { Listener } from '../database/listener.js';
import { EMERGENCY_ROLLBACK, PLATFORM_WRITES } from './registry.js';

interface OverrideRow {
  readonly scope: string;
  readonly flag: string;
  readonly off: boolean;
  readonly seq: string;
}

const channel = 'control_flag';
/** A second, less what a reading takes. */
const pollMs = 900;

/** How long the overlay may stay unread before gated flags count as off. */
const FAIL_SAFE_MS = 10_000;

export interface OverlayOptions {
  /** The control database, without a pooler in between. */
  readonly url: string;
  /** Connections to it that nothing slow uses: a kill waits behind nothing. */
  readonly pool: pg.Pool;
  readonly log: Logger;
  /** Called once a state is in force: other processes wait for it. */
  readonly acknowledge: (seq: bigint) => void;
  readonly failSafeMs?: number;
}

/**
 * Who is switched off by hand: it works without any flag server and can only take away. Told by the control database,
 * read again after every gap, and read every second besides. Requests never wait for it: they see the last state, until
 * it is too old to be trusted.
 */
export class Overlay {
  readonly #listener: Listener;
  readonly #listeners = new Set<() => void>();
  #off: ReadonlySet<string> = new Set();
  #seq = 0n;
  #failSafe = false;
  #reading: Promise<void> | undefined;
  #asked = 0;
  #poll: NodeJS.Timeout | undefined;
  #trust: NodeJS.Timeout | undefined;
  #readAt: Date | undefined;
  #closed = false;

  private constructor(private readonly options: OverlayOptions) {
    this.#listener = new Listener(options.url, 'belay-overlay-listener');
  }

  /** Always opens: without the control database the gated flags count as off until it can be read. */
  static async open(options: OverlayOptions): Promise<Overlay> {
    const overlay = new Overlay(options);
    const look = () => void overlay.refresh();
    await overlay.#listener.listen(channel, look, look);
    await overlay.refresh();
    if (!overlay.#readAt) overlay.distrust();
    overlay.#poll = setInterval(look, pollMs).unref();
    return overlay;
  }

  killed(flag: string): boolean {
    return this.#off.has(flag);
  }

  /** For an emergency the row that is "off" switches the emergency on. */
  get emergency(): boolean {
    return this.#off.has(EMERGENCY_ROLLBACK);
  }

  get writesKilled(): boolean {
    return this.#off.has(PLATFORM_WRITES);
  }

  /** Whether the overlay could not be read for so long that gated flags count as off. */
  get failSafe(): boolean {
    return this.#failSafe;
  }

  /** Number of the last override that is in force here. */
  get seq(): bigint {
    return this.#seq;
  }

  get readAt(): Date | undefined {
    return this.#readAt;
  }

  get listening(): boolean {
    return this.#listener.connected;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends when a reading that began after the call has ended. */
  async refresh(): Promise<void> {
    this.#asked += 1;
    this.#reading ??= this.readUntilQuiet();
    await this.#reading;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#trust);
    await this.#listener.close();
    await this.#reading;
  }

  private async readUntilQuiet(): Promise<void> {
    for (let answered = 0; answered !== this.#asked;) {
      answered = this.#asked;
      await this.read();
    }
    this.#reading = undefined;
  }

  private async read(): Promise<void> {
    const readAt = new Date();
    try {
      const { rows } = await this.options.pool.query<OverrideRow>(
        `SELECT scope, flag, off, seq FROM control.flag_override`,
      );
      if (!this.#closed) this.apply(rows, readAt);
    } catch (error) {
      if (!this.#failSafe) this.options.log.warn({ err: error }, 'kill overlay not readable');
    }
  }

  private apply(rows: readonly OverrideRow[], readAt: Date): void {
    this.#readAt = readAt;
    this.renewTrust();
    const seq = rows.reduce((highest, row) => (BigInt(row.seq) > highest ? BigInt(row.seq) : highest), 0n);
    const off = new Set(rows.filter((row) => row.scope === 'live' && row.off).map(({ flag }) => flag));
    const same = off.size === this.#off.size && [...off].every((flag) => this.#off.has(flag));
    if (!same || this.#failSafe) {
      if (this.#failSafe) this.options.log.info({ seq }, 'kill overlay readable');
      this.#off = off;
      this.#failSafe = false;
      this.changed();
    }
    if (seq === this.#seq) return;
    this.#seq = seq;
    this.options.acknowledge(seq);
  }

  private renewTrust(): void {
    clearTimeout(this.#trust);
    this.#trust = setTimeout(() => {
      this.distrust();
    }, this.options.failSafeMs ?? FAIL_SAFE_MS).unref();
  }

  private distrust(): void {
    this.options.log.error({ readAt: this.#readAt }, 'kill overlay unread for too long, gated flags count as off');
    this.#failSafe = true;
    this.changed();
  }

  private changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
