import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, type Caller, type Executor, type List } from '@belay/platform';
import { z } from 'zod';
import { AssignmentNotFound } from '../production.problems.js';
import { SiteScope } from '../site-scope.service.js';
import { assignmentById, assignmentList, type ListedAssignment } from './assignment-list.queries.js';
import type { AssignmentFilter, AssignmentView, MyAssignmentFilter } from './assignment.contract.js';
import { openStatuses } from './assignment.queries.js';

const READ = 'production.job:read';
const listKey = z.tuple([z.uuid()]);

/** Assignments as they are shown. */
@Injectable()
export class AssignmentViews {
  constructor(
    private readonly database: Database,
    private readonly scope: SiteScope,
  ) {}

  list(by: Caller, filter: AssignmentFilter): Promise<List<AssignmentView>> {
    return this.page(this.scope.sites(by, READ), filter);
  }

  /** What is meant for the caller themself, wherever it is. */
  mine(by: Caller, filter: MyAssignmentFilter): Promise<List<AssignmentView>> {
    return this.page(null, { ...filter, operatorId: by.accountId });
  }

  async one(on: Executor, id: string): Promise<AssignmentView> {
    return viewOf(await this.row(on, id));
  }

  /** With where it is at home. */
  async row(on: Executor, id: string): Promise<ListedAssignment> {
    const [row] = await assignmentById(on, [id]);
    if (!row) throw new AssignmentNotFound(id);
    return row;
  }

  private async page(sites: readonly string[] | null, filter: AssignmentFilter): Promise<List<AssignmentView>> {
    const { tokenId, jobTicketId, teamId, operatorId, status, cursor, limit } = filter;
    const [after = null] = decodeCursor(cursor, listKey) ?? [];
    const statuses = status === undefined ? null : status === 'open' ? openStatuses : [status];
    const asked = [tokenId, jobTicketId, teamId, operatorId].map((id) => id ?? null);
    const rows = await assignmentList(this.database.dataSource, [sites, ...asked, statuses, after, limit + 1]);
    return listFrom(rows, limit, ({ id }) => [id], viewOf);
  }
}

function viewOf(row: ListedAssignment): AssignmentView {
  return { ...row, assignedAt: row.assignedAt.toISOString() };
}
