import { Conflict, Problem } from '../problem/problem.js';
import { databaseError } from './violation.js';

export class IdempotencyKeyReused extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'idempotency-key-reused';
  readonly title = 'The Idempotency-Key was used for another request';

  constructor(key: string) {
    super('A key may be sent again only with the same method, path and body.', { key });
  }
}

/** The first request under the same key has not ended yet. */
export class RequestInProgress extends Conflict {
  readonly slug = 'request-in-progress';
  readonly title = 'The same request is being worked on';
  override readonly retryAfter = 1;

  constructor(key: string) {
    super('An earlier request with this Idempotency-Key has not ended yet; ask again.', { key });
  }
}

/** Others hold what the request needs: nothing was changed, and the same request may succeed a moment later. */
export class BusyRetry extends Problem {
  readonly slug = 'busy-retry';
  readonly title = 'Too busy, try again';
  override readonly retryAfter = 1;

  /** `conflict` where it was tried again and again, and what others do with the same thing stood in the way each time. */
  constructor(readonly kind: 'unavailable' | 'conflict' = 'unavailable') {
    super('Others hold what the request needs; nothing was changed.');
  }
}

class DatabaseUnavailable extends Problem {
  readonly kind = 'unavailable';
  readonly slug = 'database-unavailable';
  readonly title = 'The database does not answer';
  override readonly retryAfter = 5;

  constructor() {
    super('Nothing was changed, unless the connection broke while a change was being confirmed.');
  }
}

/** A value passed the contract and yet does not fit where it belongs. */
class ValueOutOfRange extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'value-out-of-range';
  readonly title = 'A value cannot be stored';

  constructor() {
    super('A value of the request is too large, too long or not of the kind that is stored there.');
  }
}

const busy = new Set(['55P03', '57014', '40001', '40P01']);
const unfit = new Set(['22001', '22003', '22007', '22008', '22021', '22P02', '22P03', '22P05']);
const unavailable = /^(08|53|57P)|^25006$/;
// While the database is exchanged for another, its name is taken away for a moment, or lets nobody in.
const exchanged = new Set(['3D000', '55000']);
const broken = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EHOSTUNREACH']);
// The driver gives these no code.
const driverMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** What the caller can do about a failure of the database; undefined when it is a defect of ours. */
export function databaseProblem(error: unknown): Problem | undefined {
  const { code, severity } = databaseError(error) ?? {};
  if (code !== undefined) {
    if (busy.has(code)) return new BusyRetry();
    if (unfit.has(code)) return new ValueOutOfRange();
    if (severity === 'FATAL' && exchanged.has(code)) return new DatabaseUnavailable();
    return unavailable.test(code) ? new DatabaseUnavailable() : undefined;
  }
  return isBroken(error) ? new DatabaseUnavailable() : undefined;
}

/** Whether a wait for a lock ended without it. */
export function waitedInVain(error: unknown): boolean {
  const code = databaseError(error)?.code;
  return code === '55P03' || code === '57014';
}

function isBroken(error: unknown): boolean {
  // Errors of Node itself may be made in another realm, where instanceof does not reach.
  if (!Error.isError(error)) return false;
  if ('driverError' in error && isBroken(error.driverError)) return true;
  if ('code' in error && typeof error.code === 'string') return broken.has(error.code);
  return driverMessages.test(error.message);
}
