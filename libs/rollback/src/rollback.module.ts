import { Module } from '@nestjs/common';
import { BackupsController } from './backups/backups.controller.js';
import { PlansController } from './plans/plans.controller.js';
import { RunbooksController } from './plans/runbooks.controller.js';
import { RollbackCoreModule } from './rollback-core.module.js';
import { RollbackLogController } from './runs/log.controller.js';
import { RunsController } from './runs/runs.controller.js';

const controllers = [BackupsController, PlansController, RollbackLogController, RunbooksController, RunsController];

/** What people and programs see of it: plans, runs, backups, the trail. */
@Module({ imports: [RollbackCoreModule], controllers })
export class RollbackModule {}
