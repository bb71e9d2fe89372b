import { Conflict, NotFound } from '@belay/platform';
import type { LeaveStatus } from './leave.contract.js';

export class LeaveNotFound extends NotFound {
  readonly slug = 'leave-not-found';
  readonly title = 'There is no such leave';

  constructor(leaveId: string) {
    super('No leave that you may see has this id.', { leaveId });
  }
}

/** Two leaves of one person that are approved never overlap. */
export class LeaveOverlap extends Conflict {
  readonly slug = 'leave-overlap';
  readonly title = 'Another leave covers part of it';

  constructor(other: { id: string; from: string; until: string } | undefined) {
    super('The person is on another approved leave for part of the time.', { other: other ?? null });
  }
}

/** What has begun can be ended, and not be undone. */
export class LeaveRunning extends Conflict {
  readonly slug = 'leave-running';
  readonly title = 'The leave has begun';

  constructor(from: string, until: string) {
    super('The leave has begun: it can only be ended.', { from, until });
  }
}

export class LeaveState extends Conflict {
  readonly slug = 'leave-state';
  readonly title = 'Not from this state';

  constructor(leaveStatus: LeaveStatus, detail = `The leave is ${leaveStatus}.`) {
    super(detail, { leaveStatus });
  }
}
