/** What kind of failure a problem is; the HTTP filter alone knows which status each kind has. */
export type ProblemKind =
  | 'malformed' // 400
  | 'unauthenticated' // 401
  | 'forbidden' // 403
  | 'not-found' // 404
  | 'not-allowed' // 405, with Allow
  | 'conflict' // 409
  | 'precondition-failed' // 412
  | 'invalid' // 422
  | 'precondition-required' // 428
  | 'too-many-requests' // 429
  | 'unavailable'; // 503, with Retry-After

/**
 * Something that a caller did or met and can act on (RFC 9457). Domains throw subclasses; everything else that is
 * thrown is a defect and becomes a bare 500.
 */
export abstract class Problem extends Error {
  abstract readonly kind: ProblemKind;
  /** Permanent, kebab-case: clients and tests compare it. */
  abstract readonly slug: string;
  /** The same for every case of this problem. */
  abstract readonly title: string;
  /** Seconds after which trying again makes sense, sent as Retry-After. */
  readonly retryAfter?: number;

  /** `detail` is a sentence about this case; `members` are facts a program may read. */
  constructor(
    readonly detail: string,
    readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }

  override get name(): string {
    return this.constructor.name;
  }
}

export class InvalidRequest extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'invalid-request';
  readonly title = 'The request is not valid';

  /** `pointer` is a JSON pointer into the body (`#/code`), or `?name` of the query, or `:name` of the path. */
  constructor(errors: readonly { pointer: string; detail: string }[]) {
    super(errors.length === 1 ? '1 value is not valid.' : `${errors.length} values are not valid.`, { errors });
  }
}

/** A thing that does not exist, or that the caller may not know of. */
export abstract class NotFound extends Problem {
  readonly kind = 'not-found';
}

/** The state of things forbids it; the members describe that state. */
export abstract class Conflict extends Problem {
  readonly kind = 'conflict';
}
