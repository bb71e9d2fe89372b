import { Conflict, NotFound, Problem } from '@belay/platform';

/** What a client must know of a job to repair its request without asking again. */
interface JobFacts {
  readonly jobStatus: string;
  readonly execution: string;
  /** Of its newest attempt; null while nothing was started. */
  readonly instanceStatus: string | null;
  readonly jobRowVersion: number;
}

/** What a client must know of a token to repair its request without asking again. */
interface TokenFacts {
  readonly id: string;
  readonly status: string;
  readonly holdCode: string | null;
  readonly nodeId: string | null;
  readonly rowVersion: number;
}

interface AssignmentFacts {
  readonly id: string;
  readonly status: string;
  readonly rowVersion: number;
}

/** `code` is one of the codes of the graph check; `pointer` leads to the place in the draft. */
export class GraphInvalid extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'graph-invalid';
  readonly title = 'The graph cannot be used like this';

  constructor(errors: readonly { readonly code: string; readonly pointer?: string; readonly detail: string }[]) {
    super(errors.length === 1 ? '1 thing is not right.' : `${errors.length} things are not right.`, { errors });
  }
}

export class GraphVersionClosed extends Conflict {
  readonly slug = 'graph-version-closed';
  readonly title = 'The version takes no new jobs';

  constructor(version: { readonly id: string; readonly status: string; readonly allowNewJobs: boolean }) {
    const detail = version.status === 'retired' ? 'It is retired.' : 'It is closed for new jobs.';
    super(detail, { versionId: version.id, state: version.status, allowNewJobs: version.allowNewJobs });
  }
}

export class JobState extends Conflict {
  readonly slug = 'job-state';
  readonly title = 'Not from this state of the job';

  constructor(job: JobFacts, detail?: string) {
    super(detail ?? `The job is ${job.jobStatus.replaceAll('_', ' ')}.`, factsOfJob(job));
  }
}

/** Planning never makes tokens. */
export class JobNotStarted extends Conflict {
  readonly slug = 'job-not-started';
  readonly title = 'The job is not started';

  constructor(job: JobFacts) {
    super('Tokens are made when the job is started.', factsOfJob(job));
  }
}

export class JobPaused extends Conflict {
  readonly slug = 'job-paused';
  readonly title = 'The job is paused';

  constructor(job: JobFacts) {
    super('Nothing is started while the job is paused.', factsOfJob(job));
  }
}

export class JobRunsAtStations extends Conflict {
  readonly slug = 'job-runs-at-stations';
  readonly title = 'The job is run by station scans';

  constructor(job: JobFacts) {
    super('It has no tokens until it is handed over to them.', factsOfJob(job));
  }
}

export class InstanceArchived extends Conflict {
  readonly slug = 'instance-archived';
  readonly title = 'The attempt is over';

  constructor(attempt: number) {
    super(`Attempt ${attempt} was cancelled; its tokens are never used again.`, { attempt });
  }
}

export class SerialMismatch extends Conflict {
  readonly slug = 'serial-mismatch';
  readonly title = 'Another number of serials';

  constructor(expected: number, reserved: number) {
    super(`The job makes ${expected} pieces, and ${reserved} serials are reserved.`, { expected, reserved });
  }
}

export class TokenState extends Conflict {
  readonly slug = 'token-state';
  readonly title = 'Not from this state of the token';

  constructor(token: TokenFacts, detail?: string) {
    super(detail ?? `The token is ${token.status}.`, factsOf(token));
  }
}

export class TokenHeld extends Conflict {
  readonly slug = 'token-held';
  readonly title = 'The token is held';

  constructor(token: TokenFacts) {
    super(`It is held: ${(token.holdCode ?? '').toLowerCase().replaceAll('_', ' ')}.`, factsOf(token));
  }
}

export class ActionNotForNode extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'action-not-for-node';
  readonly title = 'Nobody does this at such a node';

  constructor(action: string, nodeType: string, allowed: readonly string[]) {
    super(`At a node of type ${nodeType.replaceAll('_', ' ')} there is no ${action}.`, { action, nodeType, allowed });
  }
}

export class TargetNotAllowed extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'target-not-allowed';
  readonly title = 'The token cannot go there';

  constructor(target: string, allowed: readonly string[]) {
    super(`It cannot go to ${target} from where it is.`, { target, allowed });
  }
}

/** `session` is theirs that runs, on `token`. */
export class OperatorBusy extends Conflict {
  readonly slug = 'operator-busy';
  readonly title = 'Works on something else';

  constructor(session: { readonly id: string; readonly tokenId: string } | null) {
    super('One person works on one thing at a time.', {
      sessionId: session?.id ?? null,
      tokenId: session?.tokenId ?? null,
    });
  }
}

/** `offers` are the modes in which the work can be started nevertheless. */
export class NotAssignee extends Conflict {
  readonly slug = 'not-assignee';
  readonly title = 'It is somebody else’s work';

  constructor(
    assignee: { readonly teamId: string | null; readonly operatorId: string | null },
    offers: readonly ('assist' | 'replace')[],
  ) {
    super('It is assigned to somebody else.', { assignee: { ...assignee }, offers });
  }
}

export class ConcurrencyFull extends Conflict {
  readonly slug = 'concurrency-full';
  readonly title = 'As many work there as may';

  constructor(limit: number, current: number, position: number) {
    super(`${current} of ${limit} places are taken.`, { limit, current, position });
  }
}

/** `confirmable`: a second try that says so passes, if the caller may overrule it. */
export class OperatorUnavailable extends Conflict {
  readonly slug = 'operator-unavailable';
  readonly title = 'Not available';

  constructor(reason: string, until: Date | null, confirmable: boolean) {
    super(`Not available: ${reason}.`, { reason, until: until?.toISOString() ?? null, confirmable });
  }
}

export class AssignmentState extends Conflict {
  readonly slug = 'assignment-state';
  readonly title = 'Not from this state of the assignment';

  constructor(assignment: AssignmentFacts) {
    super(`The assignment is ${assignment.status}.`, factsOfAssignment(assignment));
  }
}

export class AssignmentStarted extends Conflict {
  readonly slug = 'assignment-started';
  readonly title = 'The work has begun';

  constructor(assignment: AssignmentFacts) {
    super('What has begun is handed off, not reassigned.', factsOfAssignment(assignment));
  }
}

export class TeamForbidden extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'team-forbidden';
  readonly title = 'The team does not work there';

  constructor(teamId: string, nodeCode: string) {
    super(`The team may not work at ${nodeCode}.`, { teamId, nodeCode });
  }
}

export class ModeMismatch extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'mode-mismatch';
  readonly title = 'Another way of production';

  constructor(teamId: string, nodeCode: string) {
    super(`The team and ${nodeCode} belong to different ways of production.`, { teamId, nodeCode });
  }
}

export class SkillMissing extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'skill-missing';
  readonly title = 'A skill is missing';

  constructor(skill: string, nodeCode: string) {
    super(`${nodeCode} asks for ${skill}.`, { skill, nodeCode });
  }
}

export class GraphNotFound extends NotFound {
  readonly slug = 'graph-not-found';
  readonly title = 'No such graph';

  constructor(id: string) {
    super('There is no such graph, or version of one.', { id });
  }
}

export class NodeNotFound extends NotFound {
  readonly slug = 'node-not-found';
  readonly title = 'No such node';

  constructor(nodeCode: string) {
    super(`The graph has no node ${nodeCode}.`, { nodeCode });
  }
}

export class JobNotFound extends NotFound {
  readonly slug = 'job-not-found';
  readonly title = 'No such job';

  constructor(id: string) {
    super('There is no such job.', { id });
  }
}

export class TokenNotFound extends NotFound {
  readonly slug = 'token-not-found';
  readonly title = 'No such token';

  constructor(ids: readonly string[]) {
    super(ids.length === 1 ? 'There is no such token.' : `${ids.length} of the tokens do not exist.`, { ids });
  }
}

export class AssignmentNotFound extends NotFound {
  readonly slug = 'assignment-not-found';
  readonly title = 'No such assignment';

  constructor(id: string) {
    super('There is no such assignment.', { id });
  }
}

// `status` is that of the answer: what a thing is in is its state.

function factsOf({ id, status, holdCode, nodeId, rowVersion }: TokenFacts): Readonly<Record<string, unknown>> {
  return { tokenId: id, state: status, holdCode, nodeId, rowVersion };
}

function factsOfJob({ jobStatus, execution, instanceStatus, jobRowVersion }: JobFacts) {
  return { state: jobStatus, execution, instanceStatus, rowVersion: jobRowVersion };
}

function factsOfAssignment({ id, status, rowVersion }: AssignmentFacts): Readonly<Record<string, unknown>> {
  return { assignmentId: id, state: status, rowVersion };
}
