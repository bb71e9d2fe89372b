import { Conflict, NotFound, violates } from '@belay/platform';

export class AccountNotFound extends NotFound {
  readonly slug = 'account-not-found';
  readonly title = 'There is no such account';

  constructor(accountId: string) {
    super('No account that you may see has this id.', { accountId });
  }
}

class UsernameTaken extends Conflict {
  readonly slug = 'username-taken';
  readonly title = 'The username is taken';

  constructor(username: string) {
    super('Another account has this username.', { username });
  }
}

class EmailTaken extends Conflict {
  readonly slug = 'email-taken';
  readonly title = 'The e-mail address is taken';

  constructor(email: string) {
    super('Another account has this e-mail address.', { email });
  }
}

class EmployeeNoTaken extends Conflict {
  readonly slug = 'employee-no-taken';
  readonly title = 'The employee number is taken';

  constructor(employeeNo: string) {
    super('Another account has this employee number.', { employeeNo });
  }
}

export class LastAdmin extends Conflict {
  readonly slug = 'last-admin';
  readonly title = 'The last administrator stays';

  constructor(accountId: string) {
    super('Nobody else who is active administers every site.', { accountId });
  }
}

export class AccountLeft extends Conflict {
  readonly slug = 'account-left';
  readonly title = 'The account has left';

  constructor(accountId: string) {
    super('An account that has left is kept as it was; nothing about it changes.', { accountId });
  }
}

/** What a refused write of an account means to whoever asked for it; other errors are thrown on as they are. */
export function refusal(
  error: unknown,
  given: { username?: string | undefined; email?: string | null | undefined; employeeNo?: string | null | undefined },
): unknown {
  if (violates(error, 'account_username_is_unique')) return new UsernameTaken(given.username ?? '');
  if (violates(error, 'account_email_is_unique')) return new EmailTaken(given.email ?? '');
  if (violates(error, 'account_employee_no_is_unique')) return new EmployeeNoTaken(given.employeeNo ?? '');
  return error;
}
