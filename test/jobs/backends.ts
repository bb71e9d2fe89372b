import { randomUUID } from 'node:crypto';
import { describe } from '@jest/globals';
import { hasRedis, startRedis } from '../support/redis.js';

export interface Backend {
  readonly name: string;
  /** Whether this machine has it. */
  readonly available: boolean;
  /** What a configuration needs to use it, with a prefix nobody else has. */
  start(): Promise<{ readonly env: Readonly<Record<string, string>>; stop: () => Promise<void> }>;
}

export const postgres: Backend = {
  name: 'PostgreSQL',
  available: true,
  start: () => Promise.resolve({ env: {}, stop: () => Promise.resolve() }),
};

const backends: readonly Backend[] = [
  postgres,
  {
    name: 'Redis',
    available: hasRedis,
    start: async () => {
      const redis = await startRedis();
      return { env: { REDIS_URL: redis.url, REDIS_PREFIX: `test-${randomUUID()}` }, stop: () => redis.stop() };
    },
  },
];

/** The same suite on every backend; where there is no redis-server its tests are skipped by name. */
export function onEveryBackend(title: string, suite: (backend: Backend) => void): void {
  for (const backend of backends) {
    const run = backend.available ? describe : describe.skip;
    run(`${title}, on ${backend.name}`, () => {
      suite(backend);
    });
  }
}
