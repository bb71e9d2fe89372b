import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  CONFIG,
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  PreconditionFailed,
  violates,
  type Caller,
  type Config,
  type Executor,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { Commands } from '../production.command.js';
import { GraphNotFound, GraphVersionClosed, JobNotFound, JobState, SerialMismatch } from '../production.problems.js';
import { SiteScope } from '../site-scope.service.js';
import { markPrinted, serialsOf, type SerialRow } from './serial.queries.js';
import { Serials } from './serial.service.js';
import {
  piecesNeed,
  type ChangeTicket,
  type DraftTicket,
  type ReserveSerials,
  type SerialList,
  type TicketFilter,
  type TicketView,
} from './ticket.contract.js';
import { JobCodeTaken } from './ticket.problems.js';
import {
  changeTicketRow,
  insertTicket,
  nextJobCode,
  reprioritise,
  siteDay,
  ticketById,
  ticketList,
  versionForJob,
  type TicketRow,
} from './ticket.queries.js';

const READ = 'production.job:read';
const WRITE = 'production.job:write';
const listKey = z.tuple([z.uuid()]);

/** What can be changed however far the job is. */
const always: readonly string[] = ['dueAt', 'priority'];

/** Job tickets as they are planned: what is to be made, how many, and by which version of a graph. */
@Injectable()
export class TicketService {
  constructor(
    private readonly commands: Commands,
    @Inject(CONFIG) private readonly config: Config,
    private readonly database: Database,
    private readonly scope: SiteScope,
    private readonly serials: Serials,
  ) {}

  async list(by: Caller, filter: TicketFilter): Promise<List<TicketView>> {
    const { siteId, line, status, execution, dueBefore, code, cursor, limit } = filter;
    const [after = null] = decodeCursor(cursor, listKey) ?? [];
    const rows = await ticketList(this.database.dataSource, [
      this.scope.sites(by, READ),
      siteId ?? null,
      line ?? null,
      status ?? null,
      execution ?? null,
      dueBefore ?? null,
      code ?? null,
      after,
      limit + 1,
    ]);
    return listFrom(rows, limit, (row) => [row.id], view);
  }

  get(by: Caller, id: string): Promise<TicketView> {
    return this.seen(this.database.dataSource, by, id);
  }

  /** As `get`, within a transaction. */
  async seen(on: Executor, by: Caller, id: string): Promise<TicketView> {
    const [row] = await ticketById(on, [id, this.scope.sites(by, READ)]);
    if (!row) throw new JobNotFound(id);
    return view(row);
  }

  /** Plans a job. The version it follows is fixed from now on. */
  async draft(by: Caller, draft: DraftTicket): Promise<TicketView> {
    this.scope.require(by, WRITE, draft.siteId);
    if (draft.processMode === 'piece') this.refuseTooMany(draft.targetQty);
    try {
      return await this.commands.run(by, { cause: 'job' }, async ({ tx, at }) => {
        const [site] = await siteDay(tx, [draft.siteId, at]);
        if (site?.active !== true) throw new InvalidRequest([{ pointer: '#/siteId', detail: 'is no site in use' }]);
        const id = randomUUIDv7();
        const code = draft.code ?? (await freeCode(tx, site));
        await insertTicket(tx, rowOf(id, code, await openVersion(tx, draft), draft, at));
        return this.seen(tx, by, id);
      });
    } catch (error) {
      throw violates(error, 'job_ticket_code_is_unique') ? new JobCodeTaken(draft.code ?? '') : error;
    }
  }

  change(by: Caller, id: string, version: number, change: ChangeTicket): Promise<TicketView> {
    return this.commands.onTicket(by, id, { cause: 'job' }, async ({ tx }, job) => {
      if (!job) throw new JobNotFound(id);
      this.scope.admit(by, WRITE, job.siteId, () => new JobNotFound(id));
      const ticket = await this.seen(tx, by, id);
      if (ticket.rowVersion !== version) throw new PreconditionFailed(ticket.rowVersion);
      if (job.jobStatus !== 'planned' && Object.keys(change).some((field) => !always.includes(field))) {
        throw new JobState(job, 'Only what is planned can be changed, save due date and priority.');
      }
      if (ticket.processMode === 'piece') {
        const { sku = ticket.sku, targetQty = ticket.targetQty } = change;
        await this.refuseOtherPieces(tx, { id, sku, targetQty });
      }
      await changeTicketRow(tx, [id, JSON.stringify(columnsOf(change))]);
      if (change.priority !== undefined) await reprioritise(tx, [id, ticket.priority, change.priority]);
      return this.seen(tx, by, id);
    });
  }

  /** Reserves the serials of a job of pieces, so that labels can be printed before it is started. */
  reserve(by: Caller, id: string, { qty, printed }: ReserveSerials): Promise<SerialList> {
    return this.commands.onTicket(by, id, { cause: 'job' }, async ({ tx, at }, job) => {
      if (!job) throw new JobNotFound(id);
      this.scope.admit(by, WRITE, job.siteId, () => new JobNotFound(id));
      const open = job.jobStatus === 'planned' || job.jobStatus === 'in_progress';
      if (!open || job.processMode !== 'piece') throw new JobState(job);
      if (qty !== undefined && qty !== job.targetQty) throw new SerialMismatch(job.targetQty, qty);
      const reserved = await this.serials.reserve(tx, job, at);
      if (!printed) return serialsView(reserved);
      await markPrinted(tx, [id, at]);
      return serialsView(await serialsOf(tx, [id]));
    });
  }

  private refuseTooMany(pieces: number): void {
    const { PRODUCTION_MAX_PIECES: most } = this.config;
    if (pieces <= most) return;
    throw new InvalidRequest([{ pointer: '#/targetQty', detail: `must be at most ${most} pieces` }]);
  }

  private async refuseOtherPieces(on: Executor, pieces: Pick<TicketView, 'id' | 'sku' | 'targetQty'>): Promise<void> {
    const { id, targetQty } = pieces;
    const missing = piecesNeed(pieces);
    if (missing.length > 0) {
      throw new InvalidRequest(missing.map(([field, detail]) => ({ pointer: `#/${field}`, detail })));
    }
    this.refuseTooMany(targetQty);
    const reserved = (await serialsOf(on, [id])).length;
    if (reserved > 0 && reserved !== targetQty) throw new SerialMismatch(targetQty, reserved);
  }
}

async function openVersion(tx: EntityManager, { graphId, version }: DraftTicket): Promise<string> {
  const [found] = await versionForJob(tx, [graphId, version ?? null]);
  if (!found) throw new GraphNotFound(graphId);
  if (found.status !== 'published' || !found.allowNewJobs) throw new GraphVersionClosed(found);
  return found.id;
}

/** The next code of the site's day that nobody has given by hand. */
export async function freeCode(
  tx: EntityManager,
  { day, shortDay }: { day: string; shortDay: string },
): Promise<string> {
  for (;;) {
    const [next] = await nextJobCode(tx, [day, `JT${shortDay}`]);
    if (next && !next.taken) return next.code;
  }
}

function rowOf(id: string, code: string, versionId: string, draft: DraftTicket, at: Date): unknown[] {
  const { siteId, line, processMode, execution, productId, sku, productName, targetQty, priority, dueAt } = draft;
  const facts = [siteId, line, processMode, execution, productId, sku, productName, targetQty, versionId, priority];
  return [id, code, ...facts, dueAt, JSON.stringify(draft.attributes), draft.notes, at];
}

function columnsOf(change: ChangeTicket): Record<string, unknown> {
  const columns = {
    product_id: change.productId,
    sku: change.sku,
    product_name: change.productName,
    target_qty: change.targetQty,
    attributes: change.attributes,
    notes: change.notes,
    due_at: change.dueAt,
    priority: change.priority,
  };
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
}

function serialsView(rows: readonly SerialRow[]): SerialList {
  const shown = rows.map((row) => ({ ...row, printedAt: row.printedAt?.toISOString() ?? null }));
  return { serials: shown };
}

function view(row: TicketRow): TicketView {
  return {
    ...row,
    dueAt: row.dueAt?.toISOString() ?? null,
    startedAt: row.startedAt?.toISOString() ?? null,
    completedAt: row.completedAt?.toISOString() ?? null,
    cancelledAt: row.cancelledAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}
