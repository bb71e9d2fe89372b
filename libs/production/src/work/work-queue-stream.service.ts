import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type StreamableFile } from '@nestjs/common';
import { Database, EventStreams, statement, type Caller, type List } from '@belay/platform';
import type { WorkItem } from './work-queue.contract.js';
import { WorkQueueService } from './work-queue.service.js';

/** How often all look for news; how soon a queue is read again when there are some, and how late when there are none. */
const LOOK_MS = 2_000;
const PACE_MS = 4_000;
const QUIET_MS = 30_000;
/** Clients come back by themselves, and are let in anew. */
const LIFE_MS = 10 * 60_000;
const ITEMS = 50;

/** Everything that changes a queue is announced. */
const lastAnnounced = statement<{ readonly id: string | null }>(
  'production.last_announced',
  `SELECT max(id)::text AS id FROM platform.outbox`,
);

/** Work queues as they change. */
@Injectable()
export class WorkQueueStream {
  #asked: { readonly at: number; readonly answer: Promise<string | null> } | undefined;

  constructor(
    private readonly database: Database,
    private readonly queue: WorkQueueService,
    private readonly streams: EventStreams,
  ) {}

  /** The first page whenever it is another one than the client has seen. */
  open(by: Caller, seen: string | undefined): StreamableFile {
    return this.streams.open(async (send, signal) => {
      const until = Date.now() + LIFE_MS;
      let last = seen;
      let news: string | null = null;
      let looked = 0;
      while (!signal.aborted && Date.now() < until) {
        const now = await this.announced();
        const rested = Date.now() - looked;
        if (rested >= (now === news ? QUIET_MS : PACE_MS)) {
          [news, looked] = [now, Date.now()];
          const list = await this.queue.list(by, { limit: ITEMS });
          const id = fingerprint(list);
          if (id !== last) send({ id, name: 'work-queue', data: list });
          last = id;
        }
        await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    });
  }

  /** One question for all streams of the process. */
  private announced(): Promise<string | null> {
    const now = Date.now();
    if (!this.#asked || now - this.#asked.at >= LOOK_MS) {
      const answer = lastAnnounced(this.database.dataSource, []).then(([row]) => row?.id ?? null);
      this.#asked = { at: now, answer };
    }
    return this.#asked.answer;
  }
}

/** What clocks show is left out: they run on by themselves. */
function fingerprint({ items }: List<WorkItem>): string {
  const still = items.map((item) => ({
    ...item,
    estimatedWaitMinutes: null,
    session: item.session && { ...item.session, workSeconds: 0, pauseSeconds: 0 },
  }));
  return createHash('sha256').update(JSON.stringify(still)).digest('base64url').slice(0, 22);
}
