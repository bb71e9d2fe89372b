import { Problem } from '../problem/problem.js';

export class SignInRequired extends Problem {
  readonly kind = 'unauthenticated';
  readonly slug = 'sign-in-required';
  readonly title = 'Sign in first';

  constructor() {
    super('The request carries no bearer token.');
  }
}

/** The detail never says which check failed: it would help only whoever guesses. */
export class TokenRefused extends Problem {
  readonly kind = 'unauthenticated';
  readonly slug = 'token-refused';
  readonly title = 'The token is not accepted';

  constructor(detail = 'The bearer token is malformed, expired, revoked or not from here.') {
    super(detail);
  }
}

/** Whoever made something does not agree to it too. */
export class SamePerson extends Problem {
  readonly kind = 'forbidden';
  readonly slug = 'same-person';
  readonly title = 'Somebody else must agree';
}

export class PermissionMissing extends Problem {
  readonly kind = 'forbidden';
  readonly slug = 'permission-missing';
  readonly title = 'Not allowed';

  constructor(permission: string) {
    super(`The permission ${permission} is needed.`, { permission });
  }
}

export class IdentityProviderUnavailable extends Problem {
  readonly kind = 'unavailable';
  readonly slug = 'identity-provider-unavailable';
  readonly title = 'The identity provider does not answer';
  override readonly retryAfter = 10;

  constructor(cause: unknown) {
    super('The token cannot be verified, because the keys of the identity provider cannot be read.');
    this.cause = cause;
  }
}
