import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Caller } from '@belay/platform';
import { TokenLifecycle } from '../lifecycle/token-lifecycle.service.js';
import { Commands, type Command, type LockedJob } from '../production.command.js';
import type { Reasoned } from '../production.contract.js';
import { JobNotFound, JobRunsAtStations, JobState } from '../production.problems.js';
import { SiteScope } from '../site-scope.service.js';
import { PausedQueue } from '../work/paused-queue.service.js';
import { WorkSessions } from '../work/work-sessions.service.js';
import { JobNews } from './job-news.service.js';
import {
  archiveAttempts,
  beginAttempt,
  beginJob,
  cancelJob,
  changeAttempt,
  completeJob,
  noteReason,
  settleShort,
  tokenCounts,
} from './run.queries.js';
import type { RunView, TicketView } from './ticket.contract.js';
import { TicketService } from './ticket.service.js';

const START = 'production.job:start';
const CANCEL = 'production.job:cancel';

type Attempt = LockedJob & { readonly instanceId: string };

/** Jobs as they run: started, interrupted, given up, begun again. */
@Injectable()
export class RunService {
  constructor(
    private readonly commands: Commands,
    private readonly lifecycle: TokenLifecycle,
    private readonly news: JobNews,
    private readonly queue: PausedQueue,
    private readonly scope: SiteScope,
    private readonly sessions: WorkSessions,
    private readonly tickets: TicketService,
  ) {}

  /** Makes the tokens of the job, once: doing it again answers what there is. */
  start(by: Caller, id: string): Promise<RunView> {
    return this.onJob(by, id, START, async (command, job) => {
      if (job.execution === 'stations') throw new JobRunsAtStations(job);
      if (job.jobStatus === 'completed' || job.jobStatus === 'cancelled') throw new JobState(job);
      if (job.jobStatus === 'planned') {
        await this.begin(command, id);
        await this.news.tell(command, id, 'started');
      }
      return this.spawn(command, by, id);
    });
  }

  /** Everybody who works on it stops; nothing of it is started or let in until it is resumed. */
  pause(by: Caller, id: string, { reason }: Reasoned): Promise<TicketView> {
    return this.onJob(by, id, START, async (command, job) => {
      const attempt = running(job, 'active');
      await noteReason(command.tx, [reason]);
      await changeAttempt(command.tx, [attempt.instanceId, 'active', 'paused']);
      const live = await this.lifecycle.lockLive(command, attempt.instanceId);
      await this.sessions.pauseAll(command, live, reason);
      await this.queue.rest(command, live);
      await this.lifecycle.wakeScopes(
        command,
        live.filter(({ status }) => status === 'active'),
      );
      await this.news.tell(command, id, 'paused');
      return this.tickets.seen(command.tx, by, id);
    });
  }

  resume(by: Caller, id: string): Promise<TicketView> {
    return this.onJob(by, id, START, async (command, job) => {
      const attempt = running(job, 'paused');
      await changeAttempt(command.tx, [attempt.instanceId, 'paused', 'active']);
      const live = await this.lifecycle.lockLive(command, attempt.instanceId);
      await this.queue.goOn(command, live);
      await this.lifecycle.wakeScopes(command, live);
      await this.news.tell(command, id, 'resumed');
      return this.tickets.seen(command.tx, by, id);
    });
  }

  /** Scraps what lives; its tokens are never used again. */
  cancel(by: Caller, id: string, { reason }: Reasoned): Promise<TicketView> {
    return this.onJob(by, id, CANCEL, async (command, job) => {
      if (job.jobStatus !== 'planned' && job.jobStatus !== 'in_progress') throw new JobState(job);
      await noteReason(command.tx, [reason]);
      if (job.instanceId !== null) await this.lifecycle.scrapInstance(command, job.instanceId, reason);
      await archiveAttempts(command.tx, [id]);
      await cancelJob(command.tx, [id, command.at, reason]);
      await this.news.tell(command, id, 'cancelled');
      return this.tickets.seen(command.tx, by, id);
    });
  }

  /** A new attempt at a job that was cancelled, with tokens of its own. */
  restart(by: Caller, id: string): Promise<RunView> {
    return this.onJob(by, id, CANCEL, async (command, job) => {
      if (job.execution === 'stations') throw new JobRunsAtStations(job);
      if (job.jobStatus !== 'cancelled') throw new JobState(job);
      await this.begin(command, id);
      await this.news.tell(command, id, 'restarted');
      return this.spawn(command, by, id);
    });
  }

  /** Ends a job of which nothing lives and something was scrapped that nobody replaces. */
  closeShort(by: Caller, id: string, { reason }: Reasoned): Promise<TicketView> {
    return this.onJob(by, id, START, async (command, job) => {
      const attempt = running(job, 'active');
      const [counts] = await tokenCounts(command.tx, [attempt.instanceId]);
      if (job.execution === 'stations' || !counts || counts.live > 0 || counts.topLevel === 0) {
        throw new JobState(job, 'Something of it is still to be done.');
      }
      await noteReason(command.tx, [reason]);
      await completeJob(command.tx, [id, attempt.instanceId, command.at]);
      await settleShort(command.tx, [id, command.at, reason]);
      await this.news.tell(command, id, 'completed');
      return this.tickets.seen(command.tx, by, id);
    });
  }

  private onJob<Answer>(
    by: Caller,
    id: string,
    permission: string,
    work: (command: Command, job: LockedJob) => Promise<Answer>,
  ): Promise<Answer> {
    return this.commands.onTicket(by, id, { cause: 'job' }, async (command, job) => {
      if (!job) throw new JobNotFound(id);
      this.scope.admit(by, permission, job.siteId, () => new JobNotFound(id));
      return work(command, job);
    });
  }

  private async begin({ tx, at }: Command, id: string): Promise<void> {
    await beginJob(tx, [id, at]);
    await beginAttempt(tx, [randomUUIDv7(), id]);
  }

  private async spawn(command: Command, by: Caller, id: string): Promise<RunView> {
    const { spawned, tokens } = await this.lifecycle.spawnTokens(command, id);
    return { ticket: await this.tickets.seen(command.tx, by, id), spawned, tokens };
  }
}

function running(job: LockedJob, status: 'active' | 'paused'): Attempt {
  const { jobStatus, instanceId, instanceStatus } = job;
  if (jobStatus !== 'in_progress' || instanceStatus !== status || instanceId === null) {
    throw new JobState(job, instanceStatus === 'paused' ? 'The job is paused.' : undefined);
  }
  return { ...job, instanceId };
}
