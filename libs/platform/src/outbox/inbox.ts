import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { statement } from '../database/statement.js';

// A second delivery that runs at the same time waits here until the first has committed or given up.
const mark = statement<{ done: boolean }>(
  'platform.inbox_once',
  `INSERT INTO platform.inbox (consumer, event_id, domain) VALUES ($1, $2, $3)
   ON CONFLICT (consumer, event_id) DO NOTHING RETURNING true AS done`,
);

/** Makes the effect of an event exactly once, although it may be delivered more often. */
@Injectable()
export class Inbox {
  /**
   * Whether the consumer has yet to act on the event; asked first thing in the transaction of the effect, which then
   * commits together with the mark. Marks are kept for thirty days.
   */
  async once(tx: EntityManager, consumer: string, eventId: string, domain: string): Promise<boolean> {
    return (await mark(tx, [consumer, eventId, domain])).length > 0;
  }
}
