import { Module, type DynamicModule } from '@nestjs/common';
import { MetricsController } from '../metrics/metrics.controller.js';
import type { Ledger } from '../migrations/ledger.js';
import { RUNTIME, type Runtime } from '../runtime.js';
import { HealthController } from './health.controller.js';
import { Health } from './health.js';

/** What looks after a process asks here; nothing switches it off. */
@Module({})
export class HealthModule {
  /** `ledgers`: every migration that this build expects to find applied. */
  static forRoot(ledgers: readonly Ledger[]): DynamicModule {
    return {
      module: HealthModule,
      controllers: [HealthController, MetricsController],
      providers: [
        { provide: Health, inject: [RUNTIME], useFactory: (runtime: Runtime) => new Health(runtime, ledgers) },
      ],
    };
  }
}
