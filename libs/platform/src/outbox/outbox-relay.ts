import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Listener } from '../database/listener.js';
import { statement } from '../database/statement.js';
import type { Domain } from '../domain/domain.js';
import type { EventEnvelope, NewJob } from '../jobs/job-envelope.js';
import { Queues } from '../jobs/queues.js';
import { RUNTIME, type Runtime } from '../runtime.js';
import { JOB_ROW, jobRow, OUTBOX_CHANNEL } from './outbox.js';

interface OutboxRow {
  id: string;
  name: string;
  body: unknown;
  domain: string;
  occurred_at: Date;
  request_id: string | null;
}

const BATCH = 200;

// What could not be published waits longer after every failure, at most a minute.
const take = statement<OutboxRow>(
  'platform.outbox_take',
  `SELECT id, name, body, domain, occurred_at, request_id FROM platform.outbox
   WHERE published_at IS NULL
     AND (attempt_at IS NULL OR attempt_at < clock_timestamp() - least(2 ^ least(attempts, 6), 60) * interval '1 second')
   ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`,
);

const markPublished = statement(
  'platform.outbox_published',
  `UPDATE platform.outbox SET published_at = clock_timestamp() WHERE id = ANY($1::bigint[])`,
);

const markFailed = statement(
  'platform.outbox_failed',
  `UPDATE platform.outbox SET attempts = attempts + 1, attempt_at = clock_timestamp(), last_error = $2
   WHERE id = ANY($1::bigint[])`,
);

const lag = statement<OutboxLag>(
  'platform.outbox_lag',
  `SELECT count(*)::integer AS waiting,
          coalesce(extract(epoch FROM clock_timestamp() - min(occurred_at)), 0)::float8 AS seconds
   FROM platform.outbox WHERE published_at IS NULL`,
);

export interface OutboxLag {
  readonly waiting: number;
  /** Age of the oldest fact that is not published yet. */
  readonly seconds: number;
}

// The net under the doorbell.
const POLL_MS = 1_000;

/**
 * Takes committed facts from the outbox and puts each into the queue of every domain whose manifest listens to it, on or
 * off. Any number of relays may run; a row is held by one at a time, and one that dies between queueing and marking is
 * followed by another that queues the same job ids again, which changes nothing while the queue still knows them.
 *
 * Facts leave about in the order in which they were announced, but no order is promised: transactions commit in another
 * order than they began, failures are retried, and a domain has several workers. A consumer that minds compares versions
 * or reads the present state.
 */
@Injectable()
export class OutboxRelay {
  readonly #listeners: ReadonlyMap<string, readonly string[]>;
  #bell = new AbortController();
  #running: Promise<void> | undefined;
  #stopped = false;
  #failing = false;

  constructor(
    @Inject(RUNTIME) private readonly runtime: Runtime,
    private readonly database: Database,
    private readonly listener: Listener,
    private readonly queues: Queues,
  ) {
    this.#listeners = listenersOf(runtime.domains);
  }

  async start(): Promise<void> {
    const ring = () => {
      this.#bell.abort();
    };
    this.#running = this.run();
    await this.listener.listen(OUTBOX_CHANNEL, ring, ring);
  }

  /** Ends when the batch under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#bell.abort();
    await this.#running;
  }

  /** Publishes one batch; says how many rows were taken. */
  async publish(): Promise<number> {
    if (!this.runtime.gate.writesAllowed()) return 0;
    return this.database.dataSource.transaction(async (tx) => {
      const rows = await take(tx, []);
      if (rows.length === 0) return 0;

      const failures = await this.enqueue(rows);
      const failed = rows.filter(({ id }) => failures.has(id)).map(({ id }) => id);
      const published = rows.filter(({ id }) => !failures.has(id)).map(({ id }) => id);
      await markPublished(tx, [published]);
      if (failed.length > 0) await markFailed(tx, [failed, [...new Set([...failures.values()].flat())].join('; ')]);
      return rows.length;
    });
  }

  async lag(): Promise<OutboxLag> {
    const [found = { waiting: 0, seconds: 0 }] = await lag(this.database.dataSource, []);
    return found;
  }

  private async run(): Promise<void> {
    while (!this.#stopped) {
      this.#bell = new AbortController();
      if ((await this.tryToPublish()) === BATCH) continue;
      await sleep(POLL_MS, undefined, { signal: this.#bell.signal }).catch(() => undefined);
    }
  }

  private async tryToPublish(): Promise<number> {
    try {
      const taken = await this.publish();
      this.#failing = false;
      return taken;
    } catch (error) {
      if (!this.#failing) this.runtime.log.error({ err: error }, 'outbox not relayed');
      this.#failing = true;
      return 0;
    }
  }

  /** Answers why which rows could not be queued for everybody. */
  private async enqueue(rows: readonly OutboxRow[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const byDomain = new Map<string, { readonly id: string; readonly job: NewJob }[]>();
    for (const row of rows) {
      for (const [domain, job] of this.jobsFor(row)) {
        const queued = byDomain.get(domain) ?? [];
        queued.push({ id: row.id, job });
        byDomain.set(domain, queued);
      }
    }
    const failures = new Map<string, readonly string[]>();
    await Promise.all(
      [...byDomain].map(async ([domain, queued]) => {
        try {
          await this.queues.addAll(
            domain,
            queued.map(({ job }) => job),
          );
        } catch (error) {
          const reason = `${domain}: ${String(error)}`;
          for (const { id } of queued) failures.set(id, [...(failures.get(id) ?? []), reason]);
        }
      }),
    );
    return failures;
  }

  private jobsFor(row: OutboxRow): readonly (readonly [domain: string, job: NewJob])[] {
    if (row.name === JOB_ROW) return [[row.domain, requestedJob(row)]];
    return (this.#listeners.get(row.name) ?? []).map((domain) => [domain, eventJob(row)]);
  }
}

function listenersOf(domains: readonly Domain[]): ReadonlyMap<string, readonly string[]> {
  const listeners = new Map<string, string[]>();
  for (const { name, listens = [] } of domains) {
    for (const event of listens) listeners.set(event, [...(listeners.get(event) ?? []), name]);
  }
  return listeners;
}

function eventJob({ id, name, body, occurred_at, request_id }: OutboxRow): NewJob {
  const payload = { id, name, body, occurredAt: occurred_at.toISOString() } satisfies EventEnvelope;
  const data = { version: 1, requestId: request_id ?? `event-${id}`, payload };
  return { id: `event-${id}`, name, data, attempts: 10, backoffMs: 1_000 };
}

function requestedJob({ id, body, request_id }: OutboxRow): NewJob {
  const { name, version, payload, attempts, backoffMs, delayMs } = jobRow.parse(body);
  const data = { version, requestId: request_id ?? `job-${id}`, payload };
  return { id: `job-${id}`, name, data, attempts, backoffMs, ...(delayMs === undefined ? {} : { delayMs }) };
}
