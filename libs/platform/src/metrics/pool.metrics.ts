import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { poolOf } from '../database/statement.js';
import { METRICS } from '../runtime.js';
import type { Metrics } from './metrics.js';
import { watchPool } from './watch-pool.js';

/** The application's connections; while two applications overlap, those of both. */
@Injectable()
export class PoolMetrics implements OnApplicationShutdown {
  readonly #unwatch: () => void;

  constructor(dataSource: DataSource, @Inject(METRICS) metrics: Metrics) {
    this.#unwatch = watchPool(metrics, 'application', poolOf(dataSource));
  }

  onApplicationShutdown(): void {
    this.#unwatch();
  }
}
