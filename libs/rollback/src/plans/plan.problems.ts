import { Conflict, NotFound, Problem } from '@belay/platform';
import type { CheckResult } from '../checks/verdict.rules.js';
import type { NeededApproval } from './approval.rules.js';
import type { Finding } from './judged-plan.rules.js';

export class PlanNotFound extends NotFound {
  readonly slug = 'plan-not-found';
  readonly title = 'There is no such plan';

  constructor(id: string) {
    super(`No plan has the hash ${id}.`, { id });
  }
}

export class TargetUnknown extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'target-unknown';
  readonly title = 'There is no such target';

  constructor(what: string, known: readonly string[]) {
    super(`There is no ${what}.${known.length === 0 ? '' : ` There are ${known.join(', ')}.`}`, { known });
  }
}

export class NotGated extends Conflict {
  readonly slug = 'not-gated';
  readonly title = 'It is always on';

  constructor(domain: string) {
    super(`${domain} is core: it has no flag, and everything rests on it.`, { domain });
  }
}

export class ControlDatabaseStays extends Conflict {
  readonly slug = 'control-database';
  readonly title = 'The memory of the way back is never taken down';

  constructor() {
    super('The control database is not touched by any run; it is restored offline, by `belay control restore`.');
  }
}

export class NothingToDo extends Conflict {
  readonly slug = 'nothing-to-do';
  readonly title = 'There is nothing to do';

  constructor(why: string) {
    super(`${why}.`);
  }
}

export class PlanRefused extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'plan-refused';
  readonly title = 'The plan breaks the rules of planning';

  constructor(findings: readonly Finding[]) {
    super(findings.map(({ step, message }) => (step === null ? message : `${step}: ${message}`)).join(' '), {
      findings,
    });
  }
}

export class ReasonTooShort extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'reason-too-short';
  readonly title = 'The reason says too little';

  constructor(length: number, least: number) {
    super(`A reason has at least ${least} characters; this one has ${length}.`, { length, least });
  }
}

export class ConfirmMismatch extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'confirm-mismatch';
  readonly title = 'What was typed is something else';

  constructor(expected: string, typed: string) {
    super(`Type ${expected} to confirm; ${typed === '' ? 'nothing' : typed} was typed.`, { expected });
  }
}

export class PlanStale extends Conflict {
  readonly slug = 'plan-stale';
  readonly title = 'Things have changed since it was planned';

  constructor(id: string) {
    super('Schemas, migrations or flags have changed since the plan was made; plan again.', { id });
  }
}

export class PlanExpired extends Conflict {
  readonly slug = 'plan-expired';
  readonly title = 'The plan has run out';

  constructor(id: string, expiresAt: Date) {
    super(`The plan was good until ${expiresAt.toISOString()}; plan again.`, {
      id,
      expiresAt: expiresAt.toISOString(),
    });
  }
}

export class PlanNotOpen extends Conflict {
  readonly slug = 'plan-not-open';
  readonly title = 'The plan cannot be decided on';

  constructor(id: string, state: string) {
    super(`The plan is ${state}.`, { id, state });
  }
}

export class ApprovalMissing extends Conflict {
  readonly slug = 'approval-missing';
  readonly title = 'Somebody has yet to agree';

  constructor(missing: readonly NeededApproval[]) {
    const permissions = missing.map(({ permission }) => permission);
    super(
      `It needs the approval of ${permissions.length === 1 ? 'a person' : `${permissions.length} people`} with ${permissions.join(' and ')}.`,
      {
        missing: permissions,
      },
    );
  }
}

export class MachinesNeverApprove extends Problem {
  readonly kind = 'forbidden';
  readonly slug = 'machines-never-approve';
  readonly title = 'Only people approve';

  constructor() {
    super('An approval is the act of a person who has signed in, not of a token, a program or a host.');
  }
}

export class SignInNotFresh extends Problem {
  readonly kind = 'forbidden';
  readonly slug = 'sign-in-not-fresh';
  readonly title = 'Sign in again first';

  constructor(mostSeconds: number, ageSeconds: number | null) {
    super(`This needs a sign-in of the last ${mostSeconds / 60} minutes.`, { mostSeconds, ageSeconds });
  }
}

/** What the safety checks refuse, each with what was measured and at least one way on. */
export class ChecksFailed extends Conflict {
  readonly slug = 'checks-failed';
  readonly title = 'A safety check refuses it';

  constructor(refusals: readonly CheckResult[]) {
    super(`${refusals.map(({ id, title }) => `${id} ${title}`).join(', ')} did not pass.`, {
      checks: refusals,
      recovery: refusals.flatMap(({ id, recovery }) => recovery.map((option) => ({ check: id, ...option }))),
    });
  }
}

export class ParkedTooShort extends Conflict {
  readonly slug = 'parked-too-short';
  readonly title = 'It has not been parked for long enough';

  constructor(domain: string, parkedAt: Date, days: number) {
    const purgeable = new Date(parkedAt.getTime() + days * 86_400_000).toISOString();
    super(
      `${domain} is parked since ${parkedAt.toISOString()}; it may be purged after ${days} days, from ${purgeable} on.`,
      {
        domain,
        parkedAt: parkedAt.toISOString(),
        purgeable,
      },
    );
  }
}

export class NotUndoable extends Conflict {
  readonly slug = 'not-undoable';
  readonly title = 'It cannot be taken back';

  constructor(runId: string, why: string) {
    super(`${why}.`, { runId });
  }
}

export class TargetIncomplete extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'target-incomplete';
  readonly title = 'The target leaves something open';

  constructor(missing: readonly string[]) {
    super(`Say also ${missing.join(', ')}: nothing is taken for granted.`, { missing });
  }
}

export class RunbookNotFound extends NotFound {
  readonly slug = 'runbook-not-found';
  readonly title = 'There is no such runbook';

  constructor(id: string, known: readonly string[]) {
    super(`There is no runbook ${id}. There are ${known.join(', ')}.`, { id, known });
  }
}
