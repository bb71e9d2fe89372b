import { Injectable } from '@nestjs/common';
import { Consumes, CronJob, type DeliveredEvent, type RunningJob } from '@belay/platform';
import { z } from 'zod';
import { Absence, type Leaving } from './absence.service.js';
import { invariants, nightly } from './health-check.queries.js';
import { HealthService } from './health.service.js';
import { RoomService } from './room.service.js';
import { scopeOfKey } from './scope.rules.js';
import { SessionUpkeep } from './session-upkeep.service.js';
import { WakeUp } from './wake-up.service.js';

const wake = z.object({ scope: z.string() });
// Bodies as far as they are read here; whoever announces them need not be there.
const unavailable = z.object({
  operatorId: z.uuid(),
  until: z.iso.datetime({ offset: true }).nullable(),
  reason: z.string(),
});
const available = z.object({ operatorId: z.uuid() });
const planChanged = z.object({
  scope: z.string(),
  ids: z.object({
    tokenId: z.uuid().optional(),
    jobTicketId: z.uuid().optional(),
    graphId: z.uuid().optional(),
    nodeCode: z.string().optional(),
  }),
  applyToRunning: z.boolean(),
});
const operators = z.object({ operatorIds: z.array(z.uuid()) });
const deactivated = z.object({ accountId: z.uuid() });
const teamChanged = z.object({ teamId: z.uuid() });

/** What the floor does when others announce something, and when time passes. */
@Injectable()
export class WorkProcessor {
  constructor(
    private readonly absence: Absence,
    private readonly health: HealthService,
    private readonly room: RoomService,
    private readonly upkeep: SessionUpkeep,
    private readonly wakeUp: WakeUp,
  ) {}

  @Consumes('production.queue-wake', wake)
  async wake(event: DeliveredEvent<z.infer<typeof wake>>, job: RunningJob): Promise<void> {
    const scope = scopeOfKey(event.body.scope);
    if (!scope) return;
    await this.wakeUp.admit(job.caller, scope, () => {
      job.checkpoint();
    });
    await this.room.fill(job.caller, scope, () => {
      job.checkpoint();
    });
  }

  /** For what only time changes, and for whatever was missed. */
  @CronJob({ name: 'queue-sweep', cron: '* * * * *' })
  async sweep(_slot: Date, job: RunningJob): Promise<void> {
    await this.wakeAll(job, false);
    await this.room.fill(job.caller, null, () => {
      job.checkpoint();
    });
  }

  @CronJob({ name: 'session-housekeeping', cron: '*/5 * * * *' })
  keepHouse(_slot: Date, job: RunningJob): Promise<void> {
    return this.upkeep.run(job.caller, () => {
      job.checkpoint();
    });
  }

  @CronJob({ name: 'health-scan', cron: '2-59/5 * * * *' })
  async scan(_slot: Date, job: RunningJob): Promise<void> {
    await this.health.look(job.caller, invariants, () => {
      job.checkpoint();
    });
  }

  @CronJob({ name: 'reconciliation', cron: '0 2 * * *' })
  async reconcile(_slot: Date, job: RunningJob): Promise<void> {
    await this.health.look(job.caller, { ...invariants, ...nightly }, () => {
      job.checkpoint();
    });
  }

  @Consumes('assignment.operator-unavailable', unavailable)
  async leave({ id, body }: DeliveredEvent<z.infer<typeof unavailable>>, job: RunningJob): Promise<void> {
    const { operatorId, reason } = body;
    const until = body.until === null ? null : new Date(body.until);
    await this.gone(job, id, operatorId, { how: reason === 'inactive' ? 'gone' : 'away', reason, until });
  }

  @Consumes('people.operator-gone', operators)
  async operatorsGone({ id, body }: DeliveredEvent<z.infer<typeof operators>>, job: RunningJob): Promise<void> {
    for (const operatorId of body.operatorIds)
      await this.gone(job, id, operatorId, { how: 'gone', reason: 'gone', until: null });
  }

  @Consumes('directory.account-deactivated', deactivated)
  async deactivated({ id, body }: DeliveredEvent<z.infer<typeof deactivated>>, job: RunningJob): Promise<void> {
    await this.gone(job, id, body.accountId, { how: 'gone', reason: 'deactivated', until: null });
  }

  @Consumes('assignment.operator-available', available)
  async available(_event: DeliveredEvent<z.infer<typeof available>>, job: RunningJob): Promise<void> {
    await this.wakeAll(job, true);
  }

  @Consumes('people.changed', operators)
  async peopleChanged(_event: DeliveredEvent<z.infer<typeof operators>>, job: RunningJob): Promise<void> {
    await this.wakeAll(job, true);
  }

  @Consumes('directory.team-changed', teamChanged)
  async teamChanged(_event: DeliveredEvent<z.infer<typeof teamChanged>>, job: RunningJob): Promise<void> {
    await this.wakeAll(job, true);
  }

  @Consumes('assignment.plan-changed', planChanged)
  async planChanged({ body }: DeliveredEvent<z.infer<typeof planChanged>>, job: RunningJob): Promise<void> {
    await this.absence.replan(job.caller, body.ids, body.applyToRunning, () => {
      job.checkpoint();
    });
  }

  private gone(
    job: RunningJob,
    eventId: string,
    operatorId: string,
    why: Pick<Leaving, 'how' | 'reason' | 'until'>,
  ): Promise<void> {
    const checkpoint = () => {
      job.checkpoint();
    };
    return this.absence.leave(job.caller, operatorId, { ...why, eventId, checkpoint });
  }

  private async wakeAll(job: RunningJob, onlyForPeople: boolean): Promise<void> {
    for (const scope of await this.wakeUp.scopes(onlyForPeople)) {
      await this.wakeUp.admit(job.caller, scope, () => {
        job.checkpoint();
      });
    }
  }
}
