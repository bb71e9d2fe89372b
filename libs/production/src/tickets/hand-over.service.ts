import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InvalidRequest, Problem, type Caller } from '@belay/platform';
import type { PublishedNode, PublishedVersion } from '../graphs/published-version.rules.js';
import { Versions } from '../graphs/version.reader.js';
import { TokenLifecycle } from '../lifecycle/token-lifecycle.service.js';
import { Commands, type Command, type LockedJob } from '../production.command.js';
import { JobNotFound, JobState, NodeNotFound, TargetNotAllowed } from '../production.problems.js';
import { SiteScope } from '../site-scope.service.js';
import { runByTokens, stationJobs } from './hand-over.queries.js';
import { canBeginAt, entryOf, qtyAt } from './hand-over.rules.js';
import { JobNews } from './job-news.service.js';
import { stationProgress } from './progress.queries.js';
import { beginAttempt, noteReason } from './run.queries.js';
import type { HandedOver, HandOver, HandOverMany, RunView } from './ticket.contract.js';
import { TicketService } from './ticket.service.js';

const FORCE = 'production.token:force';
const MOST = 200;
const SAVEPOINT = 'before_hand_over';

type Where = Pick<HandOver, 'nodeCode' | 'qty'>;

/** Takes jobs away from the stations that ran them, so that they go on with tokens. It needs nothing of those stations. */
@Injectable()
export class HandOverService {
  constructor(
    private readonly commands: Commands,
    private readonly lifecycle: TokenLifecycle,
    private readonly news: JobNews,
    private readonly scope: SiteScope,
    private readonly tickets: TicketService,
    private readonly versions: Versions,
  ) {}

  one(by: Caller, id: string, { reason, ...where }: HandOver): Promise<RunView> {
    return this.commands.onTicket(by, id, { cause: 'job' }, async (command, job) => {
      const tokens = await this.handOver(command, by, id, job, { reason, ...where });
      return { ticket: await this.tickets.seen(command.tx, by, id), spawned: tokens > 0, tokens };
    });
  }

  /** One that cannot be handed over is left as it is and told of. */
  many(by: Caller, { ids, reason }: HandOverMany): Promise<HandedOver> {
    return this.commands.run(by, { cause: 'job' }, async ({ tx }) => {
      const { wanted, total } = ids === 'all' ? await this.all(by, tx) : { wanted: ids, total: ids.length };
      const errors: HandedOver['errors'] = [];
      // Tickets are locked in the order of their ids.
      for (const id of wanted.toSorted()) {
        await tx.query(`SAVEPOINT ${SAVEPOINT}`);
        try {
          const { command, job } = await this.commands.beginOnTicket(tx, by, id, { cause: 'job' });
          await this.handOver(command, by, id, job, { reason });
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          await tx.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
          errors.push({ id, code: error.slug, detail: error.detail });
        }
        await tx.query(`RELEASE SAVEPOINT ${SAVEPOINT}`);
      }
      return {
        handedOver: wanted.length - errors.length,
        total: wanted.length,
        remaining: total - wanted.length,
        errors,
      };
    });
  }

  private async all(by: Caller, tx: Command['tx']): Promise<{ wanted: readonly string[]; total: number }> {
    const rows = await stationJobs(tx, [this.scope.sites(by, FORCE), MOST]);
    return { wanted: rows.map(({ id }) => id), total: rows[0]?.total ?? 0 };
  }

  /** How many tokens it has now: none while it is only planned. */
  private async handOver(
    command: Command,
    by: Caller,
    id: string,
    job: LockedJob | undefined,
    { reason, ...where }: HandOver,
  ): Promise<number> {
    if (!job) throw new JobNotFound(id);
    this.scope.admit(by, FORCE, job.siteId, () => new JobNotFound(id));
    await noteReason(command.tx, [reason]);
    const isOver = job.jobStatus === 'completed' || job.jobStatus === 'cancelled';
    if (job.execution === 'tokens' || isOver) throw new JobState(job, 'It is not run at stations.');
    if (job.jobStatus === 'in_progress') await this.setDown(command, job, where);
    else await runByTokens(command.tx, [id]);
    await this.news.tell(command, id, 'handed-over');
    return job.jobStatus === 'in_progress' ? 1 : 0;
  }

  private async setDown(command: Command, job: LockedJob, where: Where): Promise<void> {
    const version = await this.versions.get(command.tx, job.versionId);
    const entry = await entryFor(command, job, version, where);
    if (job.instanceId === null) await beginAttempt(command.tx, [randomUUIDv7(), job.ticketId]);
    await runByTokens(command.tx, [job.ticketId]);
    await this.lifecycle.enterAt(command, job.ticketId, entry);
  }
}

async function entryFor(
  { tx }: Command,
  job: LockedJob,
  version: PublishedVersion,
  { nodeCode, qty }: Where,
): Promise<{ nodeCode: string; qty: number }> {
  const told = await stationProgress(tx, [job.ticketId]);
  const found = nodeCode === undefined ? entryOf(version, told, job.targetQty)?.node : nodeGiven(version, nodeCode);
  if (!found) throw new JobState(job, 'Every node is finished at its station.');
  const amount = qty ?? qtyAt(version, told, found, job.targetQty);
  if (amount > 0) return { nodeCode: found.code, qty: amount };
  throw new InvalidRequest([{ pointer: '#/qty', detail: 'must be given: the stations have made nothing well yet' }]);
}

function nodeGiven(version: PublishedVersion, code: string): PublishedNode {
  const node = version.nodeOfCode(code);
  if (!node) throw new NodeNotFound(code);
  if (canBeginAt(version, node)) return node;
  const allowed = version.nodes.filter((one) => canBeginAt(version, one)).map((one) => one.code);
  throw new TargetNotAllowed(code, allowed);
}
