import { Module } from '@nestjs/common';
import { PlansController } from './plans/plans.controller.js';
import { RunbooksController } from './plans/runbooks.controller.js';
import { RollbackCoreModule } from './rollback-core.module.js';

const controllers = [PlansController, RunbooksController];

/** What people and programs see of it: plans, runs, backups, the trail. */
@Module({ imports: [RollbackCoreModule], controllers })
export class RollbackModule {}
