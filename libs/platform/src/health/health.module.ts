import { Module } from '@nestjs/common';
import { MetricsController } from '../metrics/metrics.controller.js';
import type { Ledger } from '../migrations/ledger.js';
import { LEDGERS, RUNTIME, type Runtime } from '../runtime.js';
import { HealthController } from './health.controller.js';
import { Health } from './health.js';

/** What looks after a process asks here; nothing switches it off. */
@Module({
  controllers: [HealthController, MetricsController],
  providers: [
    {
      provide: Health,
      inject: [RUNTIME, LEDGERS],
      useFactory: (runtime: Runtime, ledgers: readonly Ledger[]) => new Health(runtime, ledgers),
    },
  ],
})
export class HealthModule {}
