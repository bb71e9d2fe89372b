import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { AuditTrail } from './audit/audit-trail.js';
import { SigningKeys } from './auth/signing-keys.js';
import { ControlDatabase } from './database/control-database.js';
import { Database } from './database/database.js';
import { Listener } from './database/listener.js';
import { poolOptions } from './database/pool.js';
import { DeadLetters } from './jobs/dead-letters.js';
import { Jobs } from './jobs/jobs.js';
import { Queues } from './jobs/queues.js';
import { PoolMetrics } from './metrics/pool.metrics.js';
import { Inbox } from './outbox/inbox.js';
import { Outbox } from './outbox/outbox.js';
import type { Ledger } from './migrations/ledger.js';
import { CONFIG, CONTROL, LEDGERS, LOG, METRICS, RUNTIME, type Runtime } from './runtime.js';

const ofRuntime = [
  { provide: CONFIG, inject: [RUNTIME], useFactory: ({ config }: Runtime) => config },
  { provide: CONTROL, inject: [RUNTIME], useFactory: ({ control }: Runtime) => control },
  { provide: LOG, inject: [RUNTIME], useFactory: ({ log }: Runtime) => log },
  { provide: METRICS, inject: [RUNTIME], useFactory: ({ metrics }: Runtime) => metrics },
  { provide: Listener, inject: [RUNTIME], useFactory: ({ config }: Runtime) => new Listener(config.DATABASE_URL) },
];

const services = [AuditTrail, ControlDatabase, Database, Outbox, Inbox, Queues, Jobs, DeadLetters, SigningKeys];

/** What every domain may inject, in the API and in the worker. */
@Global()
@Module({})
export class PlatformModule {
  /** Without a runtime the application can be described and not started. */
  static forRoot(ledgers: readonly Ledger[], runtime?: Runtime): DynamicModule {
    return {
      module: PlatformModule,
      imports: [TypeOrmModule.forRootAsync({ inject: [RUNTIME], useFactory: dataSource })],
      providers: [
        { provide: RUNTIME, useValue: runtime },
        { provide: LEDGERS, useValue: ledgers },
        ...ofRuntime,
        ...services,
        PoolMetrics,
      ],
      exports: [RUNTIME, LEDGERS, ...ofRuntime.map(({ provide }) => provide), ...services],
    };
  }
}

function dataSource({ config, role }: Runtime): TypeOrmModuleOptions {
  return {
    type: 'postgres',
    url: config.DATABASE_URL,
    autoLoadEntities: true,
    synchronize: false,
    retryAttempts: 0,
    extra: poolOptions(config.DATABASE_URL, {
      max: config.DATABASE_POOL,
      statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
      lockTimeoutMs: config.LOCK_TIMEOUT_MS,
      applicationName: `belay-${role}`,
    }),
  };
}
