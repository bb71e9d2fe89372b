import {
  AuditTrail,
  ControlDatabase,
  LEDGERS,
  RUNTIME,
  type Ledger,
  type Runtime,
  STAGES,
  type StageBooter,
} from '@belay/platform';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { World } from './engine/world.js';

const world = {
  provide: World,
  inject: [RUNTIME, LEDGERS, { token: STAGES, optional: true }],
  useFactory: (runtime: Runtime, ledgers: readonly Ledger[], stages?: StageBooter) =>
    new World(runtime, ledgers, stages),
};

const services = [AuditTrail, ControlDatabase];

/** What the API, the executor and the command line share: planning, checking and remembering. */
@Module({ providers: [world, ...services], exports: [World, ...services] })
export class RollbackCoreModule implements OnApplicationShutdown {
  constructor(private readonly world: World) {}

  async onApplicationShutdown(): Promise<void> {
    await this.world.close();
  }
}
