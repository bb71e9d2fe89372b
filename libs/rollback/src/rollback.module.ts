import { Module } from '@nestjs/common';
import { AuditController } from './audit/audit.controller.js';
import { BackupsController } from './backups/backups.controller.js';
import { DrillsController } from './backups/drills.controller.js';
import { RunbookDrills } from './backups/runbook-drill.service.js';
import { EmergencyController } from './emergency/emergency.controller.js';
import { FlagBoards } from './flags/flag-boards.service.js';
import { FlagsController } from './flags/flags.controller.js';
import { ModuleBoards } from './flags/module-boards.service.js';
import { ModulesController } from './flags/modules.controller.js';
import { FlagSnapshots } from './flags/snapshots.service.js';
import { PlansController } from './plans/plans.controller.js';
import { RunbooksController } from './plans/runbooks.controller.js';
import { KeptController } from './restores/kept.controller.js';
import { MarkersController } from './restores/markers.controller.js';
import { RestoresController } from './restores/restores.controller.js';
import { RollbackCoreModule } from './rollback-core.module.js';
import { RollbackLogController } from './runs/log.controller.js';
import { RunsController } from './runs/runs.controller.js';

const controllers = [
  AuditController,
  BackupsController,
  DrillsController,
  EmergencyController,
  FlagsController,
  KeptController,
  ModulesController,
  MarkersController,
  PlansController,
  RestoresController,
  RollbackLogController,
  RunbooksController,
  RunsController,
];

/** What people and programs see of it: plans, runs, backups, the trail. */
@Module({
  imports: [RollbackCoreModule],
  controllers,
  providers: [FlagBoards, FlagSnapshots, ModuleBoards, RunbookDrills],
})
export class RollbackModule {}
