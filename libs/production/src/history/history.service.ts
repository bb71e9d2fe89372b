import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DirectoryReader } from '@belay/directory';
import { InvalidRequest, violates, type Caller } from '@belay/platform';
import type { PublishedVersion } from '../graphs/published-version.rules.js';
import { Versions } from '../graphs/version.reader.js';
import { Commands, type Command } from '../production.command.js';
import { SiteScope } from '../site-scope.service.js';
import { JobCodeTaken } from '../tickets/ticket.problems.js';
import { TicketService } from '../tickets/ticket.service.js';
import type { PastJob, TakenJob } from './history.contract.js';
import {
  insertPastEvents,
  insertPastJob,
  insertPastVisits,
  openMonthsBetween,
  ticketOfCode,
} from './history.queries.js';
import { visitsInOrder, type KeptVisit } from './history.rules.js';

const WRITE = 'production.job:write';

/** Jobs that were done before Belay knew of them. They are written as they were, and nothing is announced of them. */
@Injectable()
export class HistoryService {
  constructor(
    private readonly commands: Commands,
    private readonly directory: DirectoryReader,
    private readonly scope: SiteScope,
    private readonly tickets: TicketService,
    private readonly versions: Versions,
  ) {}

  async take(by: Caller, job: PastJob): Promise<TakenJob> {
    this.scope.require(by, WRITE, job.siteId);
    await this.refuseUnknown(job);
    try {
      return await this.commands.run(by, { cause: 'import' }, async (command) => {
        const [known] = await ticketOfCode(command.tx, [job.code]);
        if (known && known.siteId !== job.siteId) throw new JobCodeTaken(job.code);
        if (known) return await this.view(command, by, known.id, job, false);
        const visits = visitsInOrder(job.visits);
        refuseFuture(visits, command.at);
        const id = await this.write(command, job, visits);
        return this.view(command, by, id, job, true);
      });
    } catch (error) {
      throw violates(error, 'job_ticket_code_is_unique') ? new JobCodeTaken(job.code) : error;
    }
  }

  private async view({ tx }: Command, by: Caller, id: string, job: PastJob, taken: boolean): Promise<TakenJob> {
    const overlaps = visitsInOrder(job.visits).filter((visit) => visit.overlaps).length;
    return { ticket: await this.tickets.seen(tx, by, id), taken, visits: job.visits.length, overlaps };
  }

  /** What was done by somebody whom nobody knows, or where nobody works, is not taken at all. */
  private async refuseUnknown(job: PastJob): Promise<void> {
    const sites = await this.directory.sites([job.siteId]);
    if (!sites.has(job.siteId)) throw new InvalidRequest([{ pointer: '#/siteId', detail: 'is no site' }]);
    const people = await this.directory.accounts(job.visits.map(({ operatorId }) => operatorId));
    const strangers = job.visits.flatMap(({ operatorId }, n) =>
      people.has(operatorId) ? [] : [{ pointer: `#/visits/${n}/operatorId`, detail: 'is nobody' }],
    );
    if (strangers.length > 0) throw new InvalidRequest(strangers);
  }

  private async write(command: Command, job: PastJob, visits: readonly KeptVisit[]): Promise<string> {
    const { tx, requestId } = command;
    const version = await this.versions.get(tx, job.graphVersionId);
    const rows = rowsOf(version, job, visits);
    const from = new Date(Math.min(...visits.map(({ enteredAt }) => enteredAt)));
    const until = new Date(Math.max(...visits.map(({ endedAt }) => endedAt)));
    const [ticketId, instanceId, tokenId] = [randomUUIDv7(), randomUUIDv7(), randomUUIDv7()];
    const reworked = visits.filter(({ outcome }) => outcome === 'reworked').length;
    await openMonthsBetween(tx, [from, until]);
    await insertPastJob(tx, [
      ticketId,
      instanceId,
      tokenId,
      JSON.stringify({ ...job, visits: undefined }),
      from,
      until,
      reworked,
    ]);
    await insertPastVisits(tx, [tokenId, rows]);
    await insertPastEvents(tx, [tokenId, rows, requestId]);
    return ticketId;
  }
}

function refuseFuture(visits: readonly KeptVisit[], at: Date): void {
  if (visits.every(({ endedAt }) => endedAt <= at.getTime())) return;
  throw new InvalidRequest([{ pointer: '#/visits', detail: 'must be past' }]);
}

/** The visits as a document of rows. */
function rowsOf(version: PublishedVersion, { visits: given }: PastJob, visits: readonly KeptVisit[]): string {
  const nowhere = given.flatMap(({ nodeCode }, n) => {
    const node = version.nodeOfCode(nodeCode);
    const detail = 'is no node of the graph where people work';
    return node && version.isOperable(node.id) ? [] : [{ pointer: `#/visits/${n}/nodeCode`, detail }];
  });
  if (nowhere.length > 0) throw new InvalidRequest(nowhere);
  return JSON.stringify(
    visits.map(({ visit, visitNo, enteredAt, startedAt, endedAt, outcome }) => ({
      id: randomUUIDv7(),
      sessionId: randomUUIDv7(),
      nodeId: version.nodeOfCode(visit.nodeCode)?.id,
      visitNo,
      operatorId: visit.operatorId,
      kind: visit.kind,
      enteredAt: new Date(enteredAt),
      startedAt: new Date(startedAt),
      endedAt: new Date(endedAt),
      outcome,
      result: { good: visit.goodQty, scrap: visit.scrapQty, review: visit.reviewQty, isRework: visit.isRework },
    })),
  );
}
