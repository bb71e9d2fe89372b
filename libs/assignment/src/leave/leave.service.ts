import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, PermissionMissing, violates, type Caller, type List } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { PeopleScope } from '../people-scope.service.js';
import { OperatorStates } from '../state/operator-states.service.js';
import type { LeaveFilter, LeaveView, RequestLeave } from './leave.contract.js';
import { LeaveNotFound, LeaveOverlap, LeaveRunning, LeaveState } from './leave.problems.js';
import {
  endLeave,
  insertLeave,
  leaveList,
  lockLeave,
  overlappingLeave,
  settleLeave,
  type LeaveRow,
  type LockedLeave,
} from './leave.queries.js';

export const REQUEST_LEAVE = 'assignment.leave:request';
export const MANAGE_LEAVE = 'assignment.leave:manage';
const listKey = z.tuple([z.uuid()]);

@Injectable()
export class LeaveService {
  constructor(
    private readonly database: Database,
    private readonly scope: PeopleScope,
    private readonly states: OperatorStates,
  ) {}

  /** One's own, and those of the people one decides about. */
  async list(by: Caller, filter: LeaveFilter): Promise<List<LeaveView>> {
    const { operatorId = null, status = null, from = null, until = null, cursor, limit } = filter;
    const [after = null] = decodeCursor(cursor, listKey) ?? [];
    const sites = this.scope.sites(by, MANAGE_LEAVE);
    const asked = [by.accountId, sites, operatorId, status, from, until, after, limit + 1];
    return listFrom(await leaveList(this.database.dataSource, asked), limit, (row) => [row.id], view);
  }

  async request(by: Caller, { operatorId = by.accountId, ...leave }: RequestLeave): Promise<LeaveView> {
    return this.database.transaction(by, async (tx) => {
      await this.scope.operator(tx, by, operatorId === by.accountId ? REQUEST_LEAVE : MANAGE_LEAVE, operatorId);
      const { leaveType, reasonCode = null, reasonText = null, from, until } = leave;
      const id = randomUUIDv7();
      const [row] = await insertLeave(tx, [
        id,
        operatorId,
        leaveType,
        reasonCode,
        reasonText,
        from,
        until,
        by.accountId,
      ]);
      if (!row) throw new Error('The leave was not stored');
      return view(row);
    });
  }

  /** Whoever is on leave from now on is unavailable at once; a leave that begins later is so when it begins. */
  async approve(by: Caller, id: string): Promise<LeaveView> {
    try {
      return await this.decide(by, id, async (tx, leave) => {
        if (leave.status !== 'requested') throw new LeaveState(leave.status);
        return settleLeave(tx, [id, 'approved', by.accountId]);
      });
    } catch (error) {
      if (!violates(error, 'approved_leave_does_not_overlap')) throw error;
      const [other] = await overlappingLeave(this.database.dataSource, [id]);
      throw new LeaveOverlap(
        other && { id: other.id, from: other.from.toISOString(), until: other.until.toISOString() },
      );
    }
  }

  reject(by: Caller, id: string): Promise<LeaveView> {
    return this.decide(by, id, async (tx, leave) => {
      if (leave.status !== 'requested') throw new LeaveState(leave.status);
      return settleLeave(tx, [id, 'rejected', null]);
    });
  }

  /** The person may take back what they asked for, also when it was approved, until it begins. */
  cancel(by: Caller, id: string): Promise<LeaveView> {
    return this.decide(
      by,
      id,
      async (tx, leave) => {
        if (leave.status !== 'requested' && leave.status !== 'approved') throw new LeaveState(leave.status);
        if (leave.status === 'approved' && leave.begun) {
          throw new LeaveRunning(leave.from.toISOString(), leave.until.toISOString());
        }
        return settleLeave(tx, [id, 'cancelled', null]);
      },
      REQUEST_LEAVE,
    );
  }

  /** Ends a leave that has begun, now. */
  end(by: Caller, id: string): Promise<LeaveView> {
    return this.decide(by, id, async (tx, leave) => {
      if (leave.status !== 'approved') throw new LeaveState(leave.status);
      if (!leave.begun) throw new LeaveState(leave.status, 'The leave has not begun: it can be cancelled.');
      if (leave.over) throw new LeaveState(leave.status, 'The leave is over.');
      return endLeave(tx, [id]);
    });
  }

  /** `own`: what the person needs to settle it alone. */
  private decide(
    by: Caller,
    id: string,
    work: (tx: EntityManager, leave: LockedLeave) => Promise<LeaveRow[]>,
    own?: string,
  ): Promise<LeaveView> {
    return this.database.transaction(by, async (tx) => {
      const [leave] = await lockLeave(tx, [id]);
      if (!leave) throw new LeaveNotFound(id);
      const mine = leave.operatorId === by.accountId;
      if (!(mine && own !== undefined && by.may(own))) {
        await this.manageable(tx, by, leave);
      }
      const [settled] = await work(tx, leave);
      if (!settled) throw new LeaveNotFound(id);
      await this.states.refresh(tx, [leave.operatorId]);
      return view(settled);
    });
  }

  /** Nobody decides about their own leave, and who may not see a leave is not told that there is one. */
  private async manageable(tx: EntityManager, by: Caller, { id, operatorId }: LockedLeave): Promise<void> {
    if (operatorId === by.accountId) throw new PermissionMissing(MANAGE_LEAVE);
    try {
      await this.scope.operator(tx, by, MANAGE_LEAVE, operatorId);
    } catch (error) {
      throw error instanceof PermissionMissing ? new LeaveNotFound(id) : error;
    }
  }
}

function view({ from, until, createdAt, ...row }: LeaveRow): LeaveView {
  return {
    ...row,
    from: from.toISOString(),
    until: until.toISOString(),
    createdAt: createdAt.toISOString(),
  };
}
