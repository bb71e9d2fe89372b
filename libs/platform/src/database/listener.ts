import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';

interface Subscription {
  readonly channel: string;
  readonly onNotify: (payload: string) => void;
  readonly onReconnect: () => void;
}

const aliveEveryMs = 2_000;
const timeoutMs = 2_000;
const slowestRetryMs = 2_000;

/**
 * LISTEN on one connection of its own, never pooled and never through a pooler, which would lose notifications. It is
 * asked every two seconds whether it still works and comes back by itself.
 */
@Injectable()
export class Listener implements OnApplicationShutdown {
  readonly #subscriptions: Subscription[] = [];
  readonly #closed = new AbortController();
  #client: pg.Client | undefined;
  #opening: Promise<void> | undefined;
  #lostSince: Date | undefined = new Date();

  constructor(
    private readonly url: string,
    private readonly applicationName = 'belay-listener',
  ) {}

  /** Whether notifications arrive, as far as is known: a silent break shows after four seconds at most. */
  get connected(): boolean {
    return this.#lostSince === undefined;
  }

  get lostSince(): Date | undefined {
    return this.#lostSince;
  }

  /**
   * Ends when the first attempt has, with or without a connection. `onReconnect` is called whenever listening begins
   * after notifications may have been missed, so that the listener can read what it would have been told.
   */
  async listen(channel: string, onNotify: (payload: string) => void, onReconnect: () => void): Promise<void> {
    this.#subscriptions.push({ channel, onNotify, onReconnect });
    const client = this.#client;
    if (this.connected && client) {
      await client.query(`LISTEN ${client.escapeIdentifier(channel)}`).catch(() => {
        this.drop(client);
      });
      return;
    }
    this.#opening ??= this.open().finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#lostSince ??= new Date();
    await this.#opening;
    await this.#client?.end().catch(() => undefined);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  private async open(): Promise<void> {
    if (await this.connect()) return;
    void this.reconnect();
  }

  private async reconnect(): Promise<void> {
    const { signal } = this.#closed;
    for (let pause = 50; !signal.aborted; pause = Math.min(pause * 2, slowestRetryMs)) {
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
      if (!(await this.connect())) continue;
      for (const { onReconnect } of this.#subscriptions) onReconnect();
      return;
    }
  }

  private async connect(): Promise<boolean> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: this.applicationName,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      keepAlive: true,
    });
    client.on('error', () => undefined);
    client.on('notification', ({ channel, payload = '' }) => {
      for (const one of this.#subscriptions) if (one.channel === channel) one.onNotify(payload);
    });
    try {
      await client.connect();
      for (const { channel } of this.#subscriptions) await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    } catch {
      await client.end().catch(() => undefined);
      return false;
    }
    if (this.#closed.signal.aborted) {
      await client.end().catch(() => undefined);
      return false;
    }
    this.#client = client;
    this.#lostSince = undefined;
    this.watch(client);
    return true;
  }

  private watch(client: pg.Client): void {
    const asking = setInterval(() => {
      client.query('SELECT').catch(() => {
        this.drop(client);
      });
    }, aliveEveryMs).unref();
    client.once('end', () => {
      clearInterval(asking);
      if (this.#closed.signal.aborted) return;
      this.#lostSince ??= new Date();
      void this.reconnect();
    });
  }

  /** Ends a connection that no longer answers; its end starts the next one. */
  private drop(client: pg.Client): void {
    this.#lostSince ??= new Date();
    client.end().catch(() => undefined);
  }
}
