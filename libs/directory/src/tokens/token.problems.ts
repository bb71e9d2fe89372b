import { NotFound, Problem } from '@belay/platform';

export class TokenNotFound extends NotFound {
  readonly slug = 'token-not-found';
  readonly title = 'There is no such token';

  constructor(tokenId: string) {
    super('The account has no token with this id.', { tokenId });
  }
}

export class OthersToken extends Problem {
  readonly kind = 'forbidden';
  readonly slug = 'others-token';
  readonly title = 'A token speaks for its account';

  constructor() {
    super('People issue their tokens themselves; for others, only machines get one.');
  }
}
