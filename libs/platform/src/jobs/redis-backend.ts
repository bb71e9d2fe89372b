import { createRedisBackend } from 'bullmq';
import { Redis } from 'ioredis';
import type { JobBackend } from './job-backend.js';

/** Queues in Redis, which must be told not to evict (`maxmemory-policy noeviction`) and to write to disk. */
export function redisBackend(url: string, applicationName: string): JobBackend {
  const common = { lazyConnect: true, connectionName: applicationName };
  // A request must not hang while Redis is away: it fails after one more try. A worker waits for it to come back.
  const producer = new Redis(url, { ...common, maxRetriesPerRequest: 1, commandTimeout: 10_000 });
  const consumer = new Redis(url, { ...common, maxRetriesPerRequest: null });
  for (const client of [producer, consumer]) client.on('error', () => undefined);

  return {
    factory: (name, options, kind = {}) => {
      const connection = kind.withBlockingConnection === true ? consumer : producer;
      return createRedisBackend(name, { ...options, connection }, kind);
    },
    close: () => {
      producer.disconnect();
      consumer.disconnect();
      return Promise.resolve();
    },
  };
}
