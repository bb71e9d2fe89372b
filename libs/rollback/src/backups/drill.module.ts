import { CONFIG, CONTROL, LEDGERS, LOG, NestLogger, RUNTIME, STAGES } from '@belay/platform';
import { Global, Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { World } from '../engine/world.js';
import { RollbackCoreModule } from '../rollback-core.module.js';

@Global()
@Module({})
class DrillModule {
  static forWorld({ runtime, ledgers, stages }: World): DynamicModule {
    const providers = [
      { provide: RUNTIME, useValue: runtime },
      { provide: CONFIG, useValue: runtime.config },
      { provide: CONTROL, useValue: runtime.control },
      { provide: LOG, useValue: runtime.log },
      { provide: LEDGERS, useValue: ledgers },
      { provide: STAGES, useValue: stages },
    ];
    return { module: DrillModule, imports: [RollbackCoreModule], providers, exports: providers };
  }
}

/** The same services as in earnest, on the databases of another world. */
export function composeDrill(world: World): Promise<INestApplicationContext> {
  const options = { logger: new NestLogger(world.runtime.log), abortOnError: false };
  // Nest declares these options as a class and expects a literal.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  return NestFactory.createApplicationContext(DrillModule.forWorld(world), options);
}
