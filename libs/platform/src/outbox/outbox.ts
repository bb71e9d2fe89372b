import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { Database } from '../database/database.js';
import { statement } from '../database/statement.js';

/** Where the relays listen. A ring says that something waits; it carries nothing. */
export const OUTBOX_CHANNEL = 'platform_outbox';

/** The name under which requests for jobs stand among the facts. */
export const JOB_ROW = 'platform.job';

export const jobRow = z.object({
  name: z.string(),
  version: z.number().int(),
  attempts: z.number().int(),
  backoffMs: z.number(),
  delayMs: z.number().optional(),
  payload: z.unknown(),
});
export type JobRow = z.infer<typeof jobRow>;

export interface OutboxEvent {
  /** In the past tense, under the domain that announces it: `sop.published`. */
  readonly name: string;
  /** Ids and what a stranger needs; only ever gains fields. */
  readonly body: Record<string, unknown>;
}

const write = statement(
  'platform.outbox_add',
  `INSERT INTO platform.outbox (name, body, domain, request_id, actor)
   VALUES ($1, $2, $3, nullif(current_setting('belay.request_id', true), ''), nullif(current_setting('belay.actor', true), ''))`,
);

const ring = statement('platform.outbox_ring', `SELECT pg_notify('${OUTBOX_CHANNEL}', '')`);

// Under load one ring stands for many transactions.
const ringEveryMs = 5;

/**
 * Announces facts in the transaction that makes them true: a fact is published when that commits, and never when it is
 * rolled back.
 */
@Injectable()
export class Outbox {
  #ringing = false;

  constructor(private readonly database: Database) {}

  /** `domain` is the one that announces. */
  async add(tx: EntityManager, event: OutboxEvent, domain: string): Promise<void> {
    await this.insert(tx, event.name, event.body, domain);
  }

  /** Only for `Jobs`: the relay puts the job into the queue of the domain. */
  async addJob(tx: EntityManager, domain: string, job: JobRow): Promise<void> {
    await this.insert(tx, JOB_ROW, job, domain);
  }

  /** Wakes the relays, for who has written to the outbox in SQL of their own; otherwise it takes them up to a second. */
  ring(): void {
    // A notification inside the transaction would make all commits of the database queue up behind each other.
    if (this.#ringing) return;
    this.#ringing = true;
    setTimeout(() => {
      this.#ringing = false;
      void this.tellRelays();
    }, ringEveryMs);
  }

  private async tellRelays(): Promise<void> {
    try {
      await ring(this.database.dataSource, []);
    } catch {
      // They look by themselves every second.
    }
  }

  private async insert(tx: EntityManager, name: string, body: object, domain: string): Promise<void> {
    await write(tx, [name, JSON.stringify(body), domain]);
    this.database.afterCommit(tx, () => {
      this.ring();
    });
  }
}
