import type { BackendFactory, IQueueBackend } from 'bullmq';
import type { Config } from '../config/config.js';
import { postgresBackend } from './postgres-backend.js';
import { redisBackend } from './redis-backend.js';

/** Where the queues are kept. Every queue and worker made with the factory shares the connections behind it. */
export interface JobBackend {
  /** Ignores the `connection` that BullMQ's classes ask for. */
  readonly factory: BackendFactory<IQueueBackend, string>;
  /** Ends the connections; what is asked of the queues afterwards is never answered. */
  close(): Promise<void>;
}

/** Redis when it is configured, else the application database. Connects when the first queue is used. */
export function openJobBackend(config: Config, applicationName: string): JobBackend {
  return config.REDIS_URL === undefined
    ? postgresBackend(config, applicationName)
    : redisBackend(config.REDIS_URL, applicationName);
}
