import { createRedisBackend } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { JobBackend } from './job-backend.js';

/** Queues in Redis, which must be told not to evict (`maxmemory-policy noeviction`) and to write to disk. */
export function redisBackend(url: string, applicationName: string): JobBackend {
  const common = { lazyConnect: true, connectionName: applicationName };
  // A request must not hang while Redis is away: it fails after one more try. A worker waits for it to come back.
  const producer = new Client(url, { ...common, maxRetriesPerRequest: 1, commandTimeout: 10_000 });
  const consumer = new Client(url, { ...common, maxRetriesPerRequest: null });
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

/** A client that ends when told to, also between two tries to connect: ioredis then says nothing, and BullMQ waits. */
class Client extends Redis {
  override disconnect(reconnect = false): void {
    // In this state ioredis closes at once, with all that follows.
    if (!reconnect && this.status === 'reconnecting') this.status = 'wait';
    super.disconnect(reconnect);
  }

  override duplicate(override?: Partial<RedisOptions>): Client {
    return new Client({ ...this.options, ...override });
  }
}
