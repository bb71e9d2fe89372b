import { Module } from '@nestjs/common';
import { RollbackCoreModule } from './rollback-core.module.js';

/** What people and programs see of it: plans, runs, backups, the trail. */
@Module({ imports: [RollbackCoreModule] })
export class RollbackModule {}
