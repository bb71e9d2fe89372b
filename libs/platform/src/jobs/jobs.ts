import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { z, ZodType } from 'zod';
import type { Caller } from '../auth/caller.js';
import { Outbox } from '../outbox/outbox.js';
import { Problem } from '../problem/problem.js';
import type { JobType } from './job-type.js';
import { Queues } from './queues.js';

export interface JobRequest {
  readonly delayMs?: number;
}

/** Neither refused nor queued: the same request may succeed a moment later. */
export class QueueUnavailable extends Problem {
  readonly kind = 'unavailable';
  readonly slug = 'queue-unavailable';
  readonly title = 'The job queue does not answer';
  override readonly retryAfter = 5;

  constructor(override readonly cause: unknown) {
    super('The work could not be queued.');
  }
}

/** How a use case asks for work that is done later. */
@Injectable()
export class Jobs {
  constructor(
    private readonly queues: Queues,
    private readonly outbox: Outbox,
  ) {}

  /** Asks in the use case's transaction: the job is queued when that commits, never when it is rolled back. */
  async add<Payload extends ZodType>(
    tx: EntityManager,
    type: JobType<Payload>,
    payload: z.input<Payload>,
    { delayMs }: JobRequest = {},
  ): Promise<void> {
    const { domain, name, version, attempts, backoffMs } = type;
    type.payload.parse(payload);
    await this.outbox.addJob(tx, domain, { name, version, attempts, backoffMs, payload, delayMs });
  }

  /**
   * Queues the job at once, where there is no transaction to join. An `id` of the caller's (no colon, not a number)
   * makes a second request for the same work none, until half an hour after it is done. Throws `QueueUnavailable`.
   */
  async addNow<Payload extends ZodType>(
    caller: Caller,
    type: JobType<Payload>,
    payload: z.input<Payload>,
    { id = `job-${randomUUIDv7()}`, delayMs }: JobRequest & { readonly id?: string } = {},
  ): Promise<string> {
    const { domain, name, version, attempts, backoffMs } = type;
    type.payload.parse(payload);
    const data = { version, requestId: caller.requestId, payload };
    const job = { id, name, data, attempts, backoffMs, ...(delayMs === undefined ? {} : { delayMs }) };
    await this.queues.add(domain, job).catch((error: unknown) => {
      throw new QueueUnavailable(error);
    });
    return id;
  }
}
