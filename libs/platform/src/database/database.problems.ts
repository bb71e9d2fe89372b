import { Problem } from '../problem/problem.js';

export class IdempotencyKeyReused extends Problem {
  readonly kind = 'invalid';
  readonly slug = 'idempotency-key-reused';
  readonly title = 'The Idempotency-Key was used for another request';

  constructor(key: string) {
    super('A key may be sent again only with the same method, path and body.', { key });
  }
}
