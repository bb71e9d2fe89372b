import { Problem } from '../problem/problem.js';

/** The thing was changed since the caller read it. */
export class PreconditionFailed extends Problem {
  readonly kind = 'precondition-failed';
  readonly slug = 'precondition-failed';
  readonly title = 'Changed in the meantime';

  constructor(currentVersion: number) {
    super('If-Match names an earlier version; read it again and decide anew.', { rowVersion: currentVersion });
  }
}

export class PreconditionRequired extends Problem {
  readonly kind = 'precondition-required';
  readonly slug = 'precondition-required';
  readonly title = 'If-Match is missing';

  constructor() {
    super('Send If-Match with the ETag of the version that the change is meant for.');
  }
}

export class IdempotencyKeyRequired extends Problem {
  readonly kind = 'malformed';
  readonly slug = 'idempotency-key-required';
  readonly title = 'Idempotency-Key is missing';

  constructor() {
    super('This request must be safe to repeat: send an Idempotency-Key.');
  }
}

export class MalformedHeader extends Problem {
  readonly kind = 'malformed';
  readonly slug = 'malformed-header';
  readonly title = 'A header is malformed';

  constructor(header: string, rule: string) {
    super(`${header} must be ${rule}.`, { header });
  }
}

export class MalformedJson extends Problem {
  readonly kind = 'malformed';
  readonly slug = 'malformed-json';
  readonly title = 'The body is not JSON';
}

export class TooManyRequests extends Problem {
  readonly kind = 'too-many-requests';
  readonly slug = 'too-many-requests';
  readonly title = 'Too many requests';
  override readonly retryAfter: number;

  constructor(retryAfter: number, limit: number) {
    super(`More than ${limit} requests in a minute.`, { limit });
    this.retryAfter = retryAfter;
  }
}
