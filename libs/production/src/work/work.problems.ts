import { Conflict, NotFound } from '@belay/platform';

export class OperatorNotFound extends NotFound {
  readonly slug = 'operator-not-found';
  readonly title = 'No such operator';

  constructor(id: string) {
    super('There is no such operator.', { id });
  }
}

export class SessionNotFound extends NotFound {
  readonly slug = 'session-not-found';
  readonly title = 'No such session';

  constructor(id: string) {
    super('There is no such session.', { id });
  }
}

export class SessionState extends Conflict {
  readonly slug = 'session-state';
  readonly title = 'Not from this state of the session';

  constructor(session: { readonly id: string; readonly status: string }) {
    super(`The session is ${session.status}.`, { id: session.id, status: session.status });
  }
}

export class FindingNotFound extends NotFound {
  readonly slug = 'finding-not-found';
  readonly title = 'No such finding';

  constructor(id: string) {
    super('There is no such finding.', { id });
  }
}

/** It is over already, or nothing but a person’s judgement helps. */
export class FindingNotRepairable extends Conflict {
  readonly slug = 'finding-not-repairable';
  readonly title = 'Nothing that could be repaired';

  constructor(finding: { readonly id: string; readonly kind: string; readonly resolvedAt: Date | null }) {
    const { id, kind, resolvedAt } = finding;
    const detail = resolvedAt ? 'It is resolved.' : `Somebody has to decide about ${kind.replaceAll('-', ' ')}.`;
    super(detail, { id, kind, resolvedAt: resolvedAt?.toISOString() ?? null });
  }
}
