import { Problem } from '../problem/problem.js';
import type { Readiness } from './health.contract.js';

/** The process works and must not be given requests. */
export class NotReady extends Problem {
  readonly kind = 'unavailable';
  readonly slug = 'not-ready';
  readonly title = 'Not ready';
  override readonly retryAfter = 1;

  constructor({ ready, checks }: Readiness) {
    const failed = checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
    super(`${failed.join('; ')}.`, { ready, checks });
  }
}
