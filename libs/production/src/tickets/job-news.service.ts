import { Injectable } from '@nestjs/common';
import { Database, Outbox, statement } from '@belay/platform';
import type { Command } from '../production.command.js';
import type { JobChanged } from '../production.events.js';

/** The job $1 as it is now, with what was done to it, $2. */
const announceJob = statement(
  'production.announce_job',
  `INSERT INTO platform.outbox (name, body, domain, request_id, actor)
   SELECT 'production.job-changed',
          jsonb_build_object('jobTicketId', id, 'siteId', site_id, 'change', $2::text, 'status', status, 'execution', execution),
          'production', nullif(current_setting('belay.request_id', true), ''),
          nullif(current_setting('belay.actor', true), '')
   FROM production.job_ticket WHERE id = $1`,
);

/** Announces what was done to jobs, after it was written. */
@Injectable()
export class JobNews {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  async tell({ tx }: Command, ticketId: string, change: JobChanged['body']['change']): Promise<void> {
    await announceJob(tx, [ticketId, change]);
    this.database.afterCommit(tx, () => {
      this.outbox.ring();
    });
  }
}
