import { Injectable } from '@nestjs/common';
import { Consumes, Database, Inbox, type DeliveredEvent, type RunningJob } from '@belay/platform';
import { Commands, type Command, type LockedJob } from '../production.command.js';
import {
  stationStepChanged,
  stationTicketChanged,
  stationTicketCreated,
  type StationStepChanged,
  type StationTicketChanged,
  type StationTicketCreated,
} from './station.contract.js';
import { StationService } from './station.service.js';

interface Told {
  readonly jobTicketId: string;
}

/** Hears what stations tell, exactly once. */
@Injectable()
export class StationProcessor {
  constructor(
    private readonly commands: Commands,
    private readonly database: Database,
    private readonly inbox: Inbox,
    private readonly stations: StationService,
  ) {}

  @Consumes('oem.ticket-created', stationTicketCreated)
  created(event: DeliveredEvent<StationTicketCreated>, job: RunningJob): Promise<void> {
    return this.once(event, job, (command) => this.stations.create(command, event.body));
  }

  @Consumes('oem.ticket-changed', stationTicketChanged)
  changed(event: DeliveredEvent<StationTicketChanged>, job: RunningJob): Promise<void> {
    return this.once(event, job, (command, ticket) =>
      this.stations.change(command, ticket, event.body, event.occurredAt),
    );
  }

  @Consumes('oem.step-changed', stationStepChanged)
  stepped(event: DeliveredEvent<StationStepChanged>, job: RunningJob): Promise<void> {
    return this.once(event, job, (command, ticket) =>
      this.stations.step(command, ticket, event.body, event.occurredAt),
    );
  }

  private once<Body extends Told>(
    event: DeliveredEvent<Body>,
    job: RunningJob,
    work: (command: Command, ticket: LockedJob | undefined) => Promise<void>,
  ): Promise<void> {
    return this.database.transaction(job.caller, async (tx) => {
      if (!(await this.inbox.once(tx, `production.${event.name}`, event.id, 'production'))) return;
      const { command, job: ticket } = await this.commands.beginOnTicket(tx, job.caller, event.body.jobTicketId, {
        cause: 'job',
      });
      await work(command, ticket);
      job.checkpoint();
    });
  }
}
