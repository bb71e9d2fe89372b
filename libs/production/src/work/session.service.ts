import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, PermissionMissing, type Caller, type List } from '@belay/platform';
import { DirectoryReader } from '@belay/directory';
import { z } from 'zod';
import { Clock } from '../production.command.js';
import { SiteScope } from '../site-scope.service.js';
import type { CurrentSessions, CurrentWork, SessionFilter, SessionView } from './session.contract.js';
import { assignedTo, openSessionsOf, sessionList } from './session-list.queries.js';
import { sessionViewOf } from './session.rules.js';
import { SUPERVISE } from './work-access.service.js';
import { OperatorNotFound } from './work.problems.js';

const listKey = z.tuple([z.uuid()]);
const open = ['active', 'paused'] as const;
const IDLE_MS = 10 * 60_000;

/** Who works on what now, and who did. */
@Injectable()
export class SessionService {
  constructor(
    private readonly clock: Clock,
    private readonly database: Database,
    private readonly directory: DirectoryReader,
    private readonly scope: SiteScope,
  ) {}

  /** Those of the caller that are not over: a work screen opens from here, and never from a list. */
  async current(by: Caller): Promise<CurrentSessions> {
    const rows = await openSessionsOf(this.database.dataSource, [by.accountId, this.clock.given]);
    const active = rows.find(({ status }) => status === 'active');
    const paused = rows.filter(({ status }) => status === 'paused');
    return {
      active: active ? sessionViewOf(active, active.at) : null,
      paused: paused.map((row) => sessionViewOf(row, row.at)),
      suggestPause: active?.heardAt != null && active.at.getTime() - active.heardAt.getTime() >= IDLE_MS,
    };
  }

  async list(by: Caller, filter: SessionFilter): Promise<List<SessionView>> {
    const { operatorId, tokenId, status, cursor, limit } = filter;
    const [after = null] = decodeCursor(cursor, listKey) ?? [];
    const statuses = status === undefined ? null : status === 'open' ? open : [status];
    const rows = await sessionList(this.database.dataSource, [
      this.scope.sites(by, SUPERVISE),
      operatorId ?? null,
      tokenId ?? null,
      statuses,
      after,
      limit + 1,
      this.clock.given,
    ]);
    return listFrom(
      rows,
      limit,
      ({ id }) => [id],
      (row) => sessionViewOf(row, row.at),
    );
  }

  /** What an operator does now; for themself, and for whoever supervises where they belong. */
  async work(by: Caller, operatorId: string): Promise<CurrentWork> {
    if (operatorId !== by.accountId) await this.supervises(by, operatorId);
    const operator = (await this.directory.people(by, [operatorId])).get(operatorId);
    if (!operator) throw new OperatorNotFound(operatorId);
    const sessions = await this.openOf(operatorId);
    const [row] = await assignedTo(this.database.dataSource, [operatorId]);
    const active = sessions.some(({ status }) => status === 'active');
    const status = active ? 'working' : sessions.length > 0 ? 'paused' : 'available';
    return { operator, status, sessions, assigned: row?.assigned ?? 0 };
  }

  private async supervises(by: Caller, operatorId: string): Promise<void> {
    const memberships = (await this.directory.memberships([operatorId])).get(operatorId) ?? [];
    if (memberships.some(({ siteId }) => by.may(SUPERVISE, siteId))) return;
    if (!by.may(SUPERVISE)) throw new PermissionMissing(SUPERVISE);
    throw new OperatorNotFound(operatorId);
  }

  private async openOf(operatorId: string): Promise<SessionView[]> {
    const rows = await openSessionsOf(this.database.dataSource, [operatorId, this.clock.given]);
    return rows.map((row) => sessionViewOf(row, row.at));
  }
}
