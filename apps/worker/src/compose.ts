import {
  CONFIG,
  CONTROL,
  LEDGERS,
  JobsModule,
  LOG,
  METRICS,
  NestLogger,
  PlatformModule,
  RUNTIME,
  STAGES,
  type Domain,
  type Runtime,
  type StageBooter,
} from '@belay/platform';
import { Global, Module, type DynamicModule, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ledgers } from '../../../migrations/index.js';

/** Does the jobs of exactly these domains, and relays the outbox for all: what is off has no cron and no consumer. */
export function composeWorker(runtime: Runtime, enabled: readonly Domain[]): Promise<INestApplicationContext> {
  return open(runtime, {
    module: WorkerModule,
    imports: [PlatformModule.forRoot(ledgers, runtime), JobsModule.forDomains(enabled)],
  });
}

/**
 * The half that no flag reaches: whatever the domains declared as their `control`, with the control database only, so
 * that it comes up whatever has happened to the application database.
 */
export function composeControl(runtime: Runtime, domains: readonly Domain[]): Promise<INestApplicationContext> {
  return composeBeside(
    runtime,
    domains.flatMap(({ control }) => control ?? []),
  );
}

/** Just these modules, with the same around them. */
export function composeBeside(runtime: Runtime, modules: readonly Type[]): Promise<INestApplicationContext> {
  return open(runtime, { module: WorkerModule, imports: [ControlModule.forRoot(runtime), ...modules] });
}

@Module({})
class WorkerModule {}

@Global()
@Module({})
class ControlModule {
  static forRoot(runtime: Runtime): DynamicModule {
    const providers = [
      { provide: RUNTIME, useValue: runtime },
      { provide: CONFIG, useValue: runtime.config },
      { provide: CONTROL, useValue: runtime.control },
      { provide: LOG, useValue: runtime.log },
      { provide: METRICS, useValue: runtime.metrics },
      { provide: LEDGERS, useValue: ledgers },
      { provide: STAGES, useValue: stagesOf(runtime) },
    ];
    return { module: ControlModule, providers, exports: providers };
  }
}

/** The API is loaded when a backup is to be proven, and not before. */
function stagesOf(runtime: Runtime): StageBooter {
  return {
    boot: async (databaseUrl, enabled) => {
      const { apiStages } = await import('../../api/src/stages.js');
      return apiStages(runtime).boot(databaseUrl, enabled);
    },
  };
}

function open(runtime: Runtime, module: DynamicModule): Promise<INestApplicationContext> {
  const options = { logger: new NestLogger(runtime.log), abortOnError: false };
  // Nest declares these options as a class and expects a literal.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  return NestFactory.createApplicationContext(module, options);
}
