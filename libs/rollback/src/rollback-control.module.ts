import { Module } from '@nestjs/common';
import { RollbackCoreModule } from './rollback-core.module.js';

/** Carries runs out, in the worker's half that no flag reaches. */
@Module({ imports: [RollbackCoreModule] })
export class RollbackControlModule {}
