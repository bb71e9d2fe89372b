import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SigningKeys } from './auth/signing-keys.js';
import { Database } from './database/database.js';
import { Listener } from './database/listener.js';
import { poolOptions } from './database/pool.js';
import { DeadLetters } from './jobs/dead-letters.js';
import { Jobs } from './jobs/jobs.js';
import { Queues } from './jobs/queues.js';
import { PoolMetrics } from './metrics/pool.metrics.js';
import { Inbox } from './outbox/inbox.js';
import { Outbox } from './outbox/outbox.js';
import { CONFIG, CONTROL, LOG, METRICS, RUNTIME, type Runtime } from './runtime.js';

/** What every domain may inject, in the API and in the worker. */
@Global()
@Module({})
export class PlatformModule {
  static forRoot(runtime: Runtime): DynamicModule {
    const { config } = runtime;
    return {
      module: PlatformModule,
      imports: [
        TypeOrmModule.forRoot({
          type: 'postgres',
          url: config.DATABASE_URL,
          autoLoadEntities: true,
          synchronize: false,
          retryAttempts: 0,
          extra: poolOptions(config.DATABASE_URL, {
            max: config.DATABASE_POOL,
            statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
            lockTimeoutMs: config.LOCK_TIMEOUT_MS,
            applicationName: `belay-${runtime.role}`,
          }),
        }),
      ],
      providers: [
        { provide: RUNTIME, useValue: runtime },
        { provide: CONFIG, useValue: config },
        { provide: CONTROL, useValue: runtime.control },
        { provide: LOG, useValue: runtime.log },
        { provide: METRICS, useValue: runtime.metrics },
        { provide: Listener, useFactory: () => new Listener(config.DATABASE_URL) },
        Database,
        Outbox,
        Inbox,
        Queues,
        Jobs,
        DeadLetters,
        SigningKeys,
        PoolMetrics,
      ],
      exports: [
        RUNTIME,
        CONFIG,
        CONTROL,
        LOG,
        METRICS,
        Listener,
        Database,
        Outbox,
        Inbox,
        Queues,
        Jobs,
        DeadLetters,
        SigningKeys,
      ],
    };
  }
}
