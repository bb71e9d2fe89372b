import { Injectable } from '@nestjs/common';
import { Consumes, CronJob, Database, Inbox, type DeliveredEvent, type RunningJob } from '@belay/platform';
import { z } from 'zod';
import { consents } from './people/consent.entity.js';
import { ConsentService } from './people/consent.service.js';
import { forgetOldFailures, forgetOldTokens } from './sessions/session.queries.js';

/** Its body as far as we read it; whoever announces it need not be here. */
const consentChanged = z.object({ operatorId: z.uuid(), consent: z.enum(consents) });

@Injectable()
export class DirectoryProcessor {
  constructor(
    private readonly database: Database,
    private readonly inbox: Inbox,
    private readonly consents: ConsentService,
  ) {}

  /** A copy of each consent is kept here, so that nobody is unmasked when the people domain is switched off. */
  @Consumes('people.consent-changed', consentChanged)
  async copyConsent(event: DeliveredEvent<z.infer<typeof consentChanged>>, job: RunningJob): Promise<void> {
    const { operatorId, consent } = event.body;
    await this.database.transaction(job.caller, async (tx) => {
      if (!(await this.inbox.once(tx, 'directory.copy-consent', event.id, 'directory'))) return;
      await this.consents.copy(tx, operatorId, consent, event.occurredAt);
      job.checkpoint();
    });
  }

  /** Failures are kept for a day after the last one, tokens for thirty after they ran out. */
  @CronJob({ name: 'forget-sign-ins', cron: '7 * * * *' })
  async forgetSignIns(_slot: Date, job: RunningJob): Promise<void> {
    await forgetOldFailures(this.database.dataSource, []);
    job.checkpoint();
    await forgetOldTokens(this.database.dataSource, []);
  }
}
