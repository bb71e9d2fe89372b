import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  PermissionMissing,
  PreconditionFailed,
  violates,
  type Caller,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import type { PlanChanged } from '../assignment.events.js';
import { PeopleScope } from '../people-scope.service.js';
import { PlanNews } from './plan-news.service.js';
import { PlanPlaces, READ_PLANS, refuseForbidden, WRITE_PLANS } from './plan-places.service.js';
import { endsAfterItBegins, type ChangePlan, type DraftPlan, type PlanFilter, type PlanView } from './plan.contract.js';
import { PlanDuplicate, PlanNotFound } from './plan.problems.js';
import { planList, plansOf, type PlanRow } from './plan.queries.js';

const listKey = z.tuple([z.uuid()]);

@Injectable()
export class PlanService {
  constructor(
    private readonly database: Database,
    private readonly news: PlanNews,
    private readonly places: PlanPlaces,
    private readonly scope: PeopleScope,
  ) {}

  async list(by: Caller, filter: PlanFilter): Promise<List<PlanView>> {
    const { graphId = null, jobTicketId = null, nodeCode = null, mode = null, active = true, cursor, limit } = filter;
    const [after = null] = decodeCursor(cursor, listKey) ?? [];
    const asked = [graphId, jobTicketId, nodeCode, mode, active, after, limit + 1];
    const rows = await planList(this.database.dataSource, [this.scope.sites(by, READ_PLANS), ...asked]);
    return listFrom(rows, limit, (row) => [row.id], view);
  }

  async draft(by: Caller, draft: DraftPlan): Promise<PlanView> {
    const { mode, assignee, graphId, jobTicketId, nodeCode, priority, validFrom, validTo, reason = null } = draft;
    const queries = plansOf[graphId === undefined ? 'job' : 'node'];
    const about = graphId ?? jobTicketId;
    try {
      return await this.database.transaction(by, async (tx) => {
        const { node, teams } = await this.places.check(tx, by, draft, assignee);
        if (mode === 'PIN' && node) refuseForbidden(node, teams);
        const policy = draft.unavailablePolicy ?? (mode === 'PIN' ? 'WAIT' : 'NEXT');
        const whom = [mode, assignee.type, assignee.id];
        const how = [priority, validFrom, validTo, policy, reason, by.accountId];
        const [row] = await queries.insert(tx, [randomUUIDv7(), about, nodeCode ?? null, ...whom, ...how]);
        if (!row) throw new Error('The plan was not stored');
        await this.tell(tx, row, draft.applyToRunning);
        return view(row);
      });
    } catch (error) {
      throw await this.told(error, () =>
        queries.same(this.database.dataSource, [about, nodeCode ?? null, mode, assignee.type, assignee.id]),
      );
    }
  }

  async change(by: Caller, id: string, version: number, change: ChangePlan): Promise<PlanView> {
    const { applyToRunning, ...details } = change;
    let asked: readonly unknown[] = [];
    let queries = plansOf.node;
    try {
      return await this.database.transaction(by, async (tx) => {
        const row = await this.locked(tx, by, id);
        queries = queriesOf(row);
        asked = [row.graphId ?? row.jobTicketId, row.nodeCode, row.mode, row.assigneeType, row.assigneeId];
        if (row.rowVersion !== version) throw new PreconditionFailed(row.rowVersion);
        const { priority = row.priority, active = row.active, unavailablePolicy = row.unavailablePolicy } = details;
        const term = termOf(row);
        const { reason = row.reason, validFrom = term.validFrom, validTo = term.validTo } = details;
        if (!endsAfterItBegins({ validFrom, validTo })) {
          throw new InvalidRequest([{ pointer: '#/validTo', detail: 'must be after validFrom' }]);
        }
        const how = [priority, active, validFrom, validTo, unavailablePolicy, reason];
        const [changed] = await queries.change(tx, [id, ...how]);
        if (!changed) throw new PlanNotFound(id);
        await this.tell(tx, changed, applyToRunning);
        return view(changed);
      });
    } catch (error) {
      throw await this.told(error, () => queries.same(this.database.dataSource, asked));
    }
  }

  /** Takes the plan out of use; it is kept, because assignments name it. Doing it again changes nothing. */
  async withdraw(by: Caller, id: string, applyToRunning: boolean): Promise<void> {
    await this.database.transaction(by, async (tx) => {
      const row = await this.locked(tx, by, id);
      if (!row.active) return;
      const { priority, validFrom, validTo, unavailablePolicy, reason } = row;
      await queriesOf(row).change(tx, [id, priority, false, validFrom, validTo, unavailablePolicy, reason]);
      await this.tell(tx, row, applyToRunning);
    });
  }

  private async locked(tx: EntityManager, by: Caller, id: string): Promise<PlanRow> {
    const [row] = [...(await plansOf.node.lock(tx, [id])), ...(await plansOf.job.lock(tx, [id]))];
    if (!row) throw new PlanNotFound(id);
    const { site } = await this.places.place(tx, { jobTicketId: row.jobTicketId ?? undefined });
    if (site !== null && !by.may(READ_PLANS, site) && !by.may(WRITE_PLANS, site)) throw new PlanNotFound(id);
    if (!by.may(WRITE_PLANS, site ?? undefined)) throw new PermissionMissing(WRITE_PLANS);
    return row;
  }

  private tell(tx: EntityManager, { graphId, jobTicketId, nodeCode }: PlanRow, applyToRunning: boolean): Promise<void> {
    const scope = graphId !== null ? 'node' : nodeCode !== null ? 'job-node' : 'job';
    const ids: PlanChanged['body']['ids'] = {
      ...(graphId !== null && { graphId }),
      ...(jobTicketId !== null && { jobTicketId }),
      ...(nodeCode !== null && { nodeCode }),
    };
    return this.news.changed(tx, { scope, ids, applyToRunning });
  }

  /** What the server refused, in words of our own. */
  private async told(error: unknown, same: () => Promise<PlanRow[]>): Promise<unknown> {
    if (!violates(error, 'node_plan_is_unique') && !violates(error, 'job_plan_is_unique')) return error;
    const [row] = await same();
    return new PlanDuplicate(row && view(row));
  }
}

function queriesOf({ graphId }: PlanRow) {
  return plansOf[graphId === null ? 'job' : 'node'];
}

/** From when to when, as text. */
function termOf({ validFrom, validTo }: Pick<PlanRow, 'validFrom' | 'validTo'>): {
  validFrom: string | null;
  validTo: string | null;
} {
  return { validFrom: validFrom?.toISOString() ?? null, validTo: validTo?.toISOString() ?? null };
}

function view({ assigneeType, assigneeId, ...row }: PlanRow): PlanView {
  return {
    ...row,
    ...termOf(row),
    scope: row.graphId !== null ? 'node' : row.nodeCode !== null ? 'job-node' : 'job',
    assignee: { type: assigneeType, id: assigneeId },
    createdAt: row.createdAt.toISOString(),
  };
}
