import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { reportFinding } from '../lifecycle/finding.queries.js';
import type { Command, LockedJob } from '../production.command.js';
import { JobNews } from './job-news.service.js';
import { archiveAttempts, beginAttempt, beginJob, cancelJob, changeAttempt, completeJob } from './run.queries.js';
import type { StationStepChanged, StationTicketChanged, StationTicketCreated } from './station.contract.js';
import { insertStationJob, isKnownJob, noteStation, takeStationWord } from './station.queries.js';
import { siteDay } from './ticket.queries.js';
import { freeCode } from './ticket.service.js';

/** Why stations close a ticket whose job was handed over: it is our own word that comes back. */
const HANDED_OVER = 'moved-to-tokens';

/** Thrown for a fact that came before the one that it follows: it is told again. */
class NotYetKnown extends Error {
  constructor(jobTicketId: string) {
    super(`Job ${jobTicketId} is not known yet`);
  }
}

/** What stations tell of the jobs that they run. A job that has been handed over to tokens does not heed them any more. */
@Injectable()
export class StationService {
  constructor(private readonly news: JobNews) {}

  async create({ tx, at }: Command, { jobTicketId, siteId, sku, qty, graphVersionId, dueAt }: StationTicketCreated) {
    const [job] = await isKnownJob(tx, [jobTicketId]);
    if (job?.known === true) return;
    const [site] = await siteDay(tx, [siteId, at]);
    if (!site) throw new NotYetKnown(jobTicketId);
    const code = await freeCode(tx, site);
    await insertStationJob(tx, [jobTicketId, code, siteId, sku, qty, graphVersionId, dueAt, at]);
  }

  /** `saidAt` is when it was announced: what is older than what was heard last changes nothing. */
  async change(command: Command, job: LockedJob | undefined, told: StationTicketChanged, saidAt: Date): Promise<void> {
    if (!job) throw new NotYetKnown(told.jobTicketId);
    if (job.execution === 'tokens') {
      if (told.reason !== HANDED_OVER) await this.report(command, job, { status: told.status, reason: told.reason });
      return;
    }
    const [heard] = await takeStationWord(command.tx, [job.ticketId, saidAt]);
    const isOver = job.jobStatus === 'completed' || job.jobStatus === 'cancelled';
    if (!heard || isOver) return;
    await this.follow(command, job, told.status);
  }

  async step(command: Command, job: LockedJob | undefined, told: StationStepChanged, saidAt: Date): Promise<void> {
    if (!job) throw new NotYetKnown(told.jobTicketId);
    const { nodeCode, status, goodQty, scrapQty } = told;
    if (job.execution === 'tokens') {
      await this.report(command, job, { nodeCode, status });
      return;
    }
    await noteStation(command.tx, [job.ticketId, nodeCode, status, goodQty, scrapQty, saidAt]);
  }

  /** Who pauses and resumes there knows it already: only what the job becomes is announced. */
  private async follow(command: Command, job: LockedJob, status: StationTicketChanged['status']): Promise<void> {
    const { tx, at } = command;
    if (status === 'planned') return;
    if (status === 'cancelled') {
      await archiveAttempts(tx, [job.ticketId]);
      await cancelJob(tx, [job.ticketId, at, 'Cancelled at the stations']);
      await this.news.tell(command, job.ticketId, 'cancelled');
      return;
    }
    const instanceId = await this.attemptOf(command, job);
    switch (status) {
      case 'in_progress':
        await changeAttempt(tx, [instanceId, 'paused', 'active']);
        return;
      case 'on_hold':
        await changeAttempt(tx, [instanceId, 'active', 'paused']);
        return;
      case 'completed':
        await completeJob(tx, [job.ticketId, instanceId, at]);
        await this.news.tell(command, job.ticketId, 'completed');
    }
  }

  private async attemptOf(command: Command, job: LockedJob): Promise<string> {
    if (job.instanceId !== null) return job.instanceId;
    const instanceId = randomUUIDv7();
    await beginJob(command.tx, [job.ticketId, command.at]);
    await beginAttempt(command.tx, [instanceId, job.ticketId]);
    await this.news.tell(command, job.ticketId, 'started');
    return instanceId;
  }

  private async report({ tx, at }: Command, { ticketId }: LockedJob, detail: object): Promise<void> {
    const facts = ['station-event-ignored', 'job', ticketId, JSON.stringify(detail), at];
    await reportFinding(tx, [randomUUIDv7(), ...facts]);
  }
}
