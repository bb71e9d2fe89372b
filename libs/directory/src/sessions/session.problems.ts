import { Problem } from '@belay/platform';

/** Says the same of an unknown username, a wrong password, an account that is not active and a dead refresh token. */
export class WrongCredentials extends Problem {
  readonly kind = 'unauthenticated';
  readonly slug = 'wrong-credentials';
  readonly title = 'Not signed in';

  constructor() {
    super('The credentials are not right.');
  }
}

/** Also answered for usernames that nobody has. */
export class AccountLocked extends Problem {
  readonly kind = 'unauthenticated';
  readonly slug = 'account-locked';
  readonly title = 'Locked after too many failures';
  override readonly retryAfter: number;

  constructor(seconds: number) {
    super('Too many sign-ins have failed under this username. Wait before you try again.', { retryAfter: seconds });
    this.retryAfter = seconds;
  }
}

export class TokenReused extends Problem {
  readonly kind = 'unauthenticated';
  readonly slug = 'token-reused';
  readonly title = 'The refresh token was used before';

  constructor() {
    super('Somebody else may hold a copy of it, so everybody who signed in with it is signed out.');
  }
}

export class PasswordTooWeak extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'password-too-weak';
  readonly title = 'The password is too weak';
}

/** An act that needs the person, not a token that acts for them. */
export class PersonNeeded extends Problem {
  readonly kind = 'forbidden';
  readonly slug = 'person-needed';
  readonly title = 'Only a person who is signed in may do this';

  constructor() {
    super('An API token cannot change a password or issue further tokens.');
  }
}
