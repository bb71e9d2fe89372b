import { Injectable } from '@nestjs/common';
import { Consumes, CronJob, Database, Inbox, Job, type DeliveredEvent, type RunningJob } from '@belay/platform';
import { z } from 'zod';
import { PlanNews } from '../plans/plan-news.service.js';
import { OperatorStates } from './operator-states.service.js';
import { runtimeBegins } from './runtime-start.service.js';

/** Bodies as far as we read them. */
const teamChanged = z.object({ accountIds: z.array(z.uuid()) });
const accountDeactivated = z.object({ accountId: z.uuid() });
const peopleChanged = z.object({ operatorIds: z.array(z.uuid()) });

/** Looks who is there whenever that may have changed, and every minute for what only time changes. */
@Injectable()
export class OperatorStateProcessor {
  constructor(
    private readonly database: Database,
    private readonly inbox: Inbox,
    private readonly news: PlanNews,
    private readonly states: OperatorStates,
  ) {}

  /** What nobody has is decided now, and whoever came or went meanwhile is announced; what somebody has is left alone. */
  @Job(runtimeBegins)
  async begin(_payload: object, job: RunningJob): Promise<void> {
    await this.database.transaction(job.caller, async (tx) => {
      await this.states.refresh(tx, null);
      await this.news.changed(tx, { scope: 'unassigned', ids: {}, applyToRunning: false });
      job.checkpoint();
    });
  }

  @CronJob({ name: 'operator-state', cron: '* * * * *' })
  async look(_slot: Date, job: RunningJob): Promise<void> {
    await this.database.transaction(job.caller, async (tx) => {
      await this.states.refresh(tx, null);
      job.checkpoint();
    });
  }

  /** A team that is closed or opened concerns all its people, and its event names none of them. */
  @Consumes('directory.team-changed', teamChanged)
  teamChanged(event: DeliveredEvent<z.infer<typeof teamChanged>>, job: RunningJob): Promise<void> {
    const { accountIds } = event.body;
    return this.again(event.id, job, accountIds.length > 0 ? accountIds : null);
  }

  @Consumes('directory.account-deactivated', accountDeactivated)
  accountDeactivated(event: DeliveredEvent<z.infer<typeof accountDeactivated>>, job: RunningJob): Promise<void> {
    return this.again(event.id, job, [event.body.accountId]);
  }

  @Consumes('people.changed', peopleChanged)
  peopleChanged(event: DeliveredEvent<z.infer<typeof peopleChanged>>, job: RunningJob): Promise<void> {
    return this.again(event.id, job, event.body.operatorIds);
  }

  private again(eventId: string, job: RunningJob, operatorIds: readonly string[] | null): Promise<void> {
    return this.database.transaction(job.caller, async (tx) => {
      if (!(await this.inbox.once(tx, 'assignment.operator-state', eventId, 'assignment'))) return;
      await this.states.refresh(tx, operatorIds);
      job.checkpoint();
    });
  }
}
