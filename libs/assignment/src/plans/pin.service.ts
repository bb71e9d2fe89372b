import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, PermissionMissing, type Caller } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { PlanChanged } from '../assignment.events.js';
import { OperatorUnavailable } from '../assignment.problems.js';
import { ResolverMetrics } from '../resolver/resolver-metrics.service.js';
import { Attendances } from '../state/attendances.service.js';
import { PlanNews, type PinNews } from './plan-news.service.js';
import { PlanPlaces, refuseForbidden, WRITE_PLANS } from './plan-places.service.js';
import type { PinQuery, PinView, SetPin } from './plan.contract.js';
import { PinNotFound } from './plan.problems.js';
import { lockPlace, pinToken, plansOf, unpinToken, type PlanRow, type TokenPinRow } from './plan.queries.js';

const OVERRULE = 'assignment.availability:override';

/** What somebody is to do, and nobody else: of a token, a node of a job, a node of every job, or a whole job. */
@Injectable()
export class PinService {
  constructor(
    private readonly attendances: Attendances,
    private readonly database: Database,
    private readonly metrics: ResolverMetrics,
    private readonly news: PlanNews,
    private readonly places: PlanPlaces,
  ) {}

  /** Takes the place of whatever was pinned there. */
  set(by: Caller, pin: SetPin): Promise<PinView> {
    return this.database.transaction(by, async (tx) => {
      const { node, teams } = await this.places.check(tx, by, pin, pin.assignee);
      if (node) refuseForbidden(node, teams);
      await this.checkAvailable(tx, by, pin);
      const set = pin.scope === 'token' ? await setOnToken(tx, by, pin) : await setOnPlan(tx, by, pin);
      await this.tell(tx, by, pin, pin.applyToRunning, { event: 'pin_set', assignee: pin.assignee, pinId: set.id });
      return set;
    });
  }

  async remove(by: Caller, query: PinQuery): Promise<void> {
    const { scope, tokenId, jobTicketId, graphId, nodeCode = null, applyToRunning = false } = query;
    await this.database.transaction(by, async (tx) => {
      const { site } = await this.places.place(tx, query);
      if (!by.may(WRITE_PLANS, site ?? undefined)) throw new PermissionMissing(WRITE_PLANS);
      const removed =
        scope === 'token'
          ? await unpinToken(tx, [tokenId, nodeCode])
          : await plansOf[scope === 'node' ? 'node' : 'job'].unpin(tx, [graphId ?? jobTicketId, nodeCode]);
      if (removed.length === 0) throw new PinNotFound({ scope, tokenId, jobTicketId, graphId, nodeCode });
      for (const { id, assigneeType, assigneeId } of removed) {
        const assignee = { type: assigneeType, id: assigneeId };
        await this.tell(tx, by, query, applyToRunning, { event: 'pin_unset', assignee, pinId: id });
      }
    });
  }

  /** Whoever pins work on somebody who is away says that they know, and may overrule it. */
  private async checkAvailable(tx: EntityManager, by: Caller, pin: SetPin): Promise<void> {
    if (pin.assignee.type === 'team') return;
    const [state] = await this.attendances.now(tx, [pin.assignee.id]);
    if (!state || state.available) return;
    if (pin.confirmUnavailable && by.may(OVERRULE)) return;
    throw new OperatorUnavailable(pin.assignee.id, {
      reason: state.reason ?? 'off',
      until: state.until?.toISOString() ?? null,
      confirmable: by.may(OVERRULE),
    });
  }

  private async tell(
    tx: EntityManager,
    by: Caller,
    { scope, tokenId, jobTicketId, graphId, nodeCode }: SetPin | PinQuery,
    applyToRunning: boolean,
    { event, assignee, pinId }: Pick<PinNews, 'event' | 'assignee'> & { readonly pinId: string },
  ): Promise<void> {
    const ids: PlanChanged['body']['ids'] = {
      ...(tokenId !== undefined && { tokenId }),
      ...(jobTicketId !== undefined && { jobTicketId }),
      ...(graphId !== undefined && { graphId }),
      ...(nodeCode !== undefined && { nodeCode }),
    };
    await this.news.pinned(tx, by, {
      event,
      tier: scope === 'job-node' ? 'job_node' : scope,
      tokenId: tokenId ?? null,
      jobTicketId: jobTicketId ?? null,
      assignee,
      facts: { pinId, graphId: graphId ?? null, nodeCode: nodeCode ?? null },
    });
    await this.news.changed(tx, { scope, ids, applyToRunning });
    this.metrics.pinned(event === 'pin_set' ? 'set' : 'unset');
  }
}

async function setOnToken(tx: EntityManager, by: Caller, pin: SetPin): Promise<PinView> {
  const { tokenId, nodeCode = null, assignee, unavailablePolicy, reason = null } = pin;
  const how = [unavailablePolicy, reason, by.accountId];
  const [row] = await pinToken(tx, [randomUUIDv7(), tokenId, nodeCode, assignee.type, assignee.id, ...how]);
  if (!row) throw new Error('The pin was not stored');
  return viewOfTokenPin(row);
}

async function setOnPlan(tx: EntityManager, by: Caller, pin: SetPin): Promise<PinView> {
  const { scope, jobTicketId, graphId, nodeCode = null, assignee, priority, unavailablePolicy, reason = null } = pin;
  const queries = plansOf[scope === 'node' ? 'node' : 'job'];
  const about = graphId ?? jobTicketId;
  await lockPlace(tx, [`${about ?? ''} ${nodeCode ?? '*'}`]);
  await queries.unpin(tx, [about, nodeCode]);
  const whom = ['PIN', assignee.type, assignee.id];
  const how = [priority, null, null, unavailablePolicy, reason, by.accountId];
  const [row] = await queries.insert(tx, [randomUUIDv7(), about, nodeCode, ...whom, ...how]);
  if (!row) throw new Error('The pin was not stored');
  return viewOfPlan(row, scope);
}

function viewOfTokenPin({ assigneeType, assigneeId, ...row }: TokenPinRow): PinView {
  const assignee = { type: assigneeType, id: assigneeId };
  return { ...row, scope: 'token', jobTicketId: null, graphId: null, assignee, priority: 100 };
}

function viewOfPlan(row: PlanRow, scope: PinView['scope']): PinView {
  const { id, jobTicketId, graphId, nodeCode, assigneeType, assigneeId, priority, unavailablePolicy, reason } = row;
  const assignee = { type: assigneeType, id: assigneeId };
  const { rowVersion } = row;
  return {
    id,
    scope,
    tokenId: null,
    jobTicketId,
    graphId,
    nodeCode,
    assignee,
    priority,
    unavailablePolicy,
    reason,
    rowVersion,
  };
}
