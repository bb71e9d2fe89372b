import { AuditTrail } from '@belay/platform';
import { Module } from '@nestjs/common';
import { AnchorUpkeep } from './audit/anchor-upkeep.service.js';
import { BackupUpkeep } from './backups/backup-upkeep.service.js';
import { RunbookDrills } from './backups/runbook-drill.service.js';
import { Checks } from './checks/checks.js';
import { EmergencyUpkeep } from './emergency/emergency-upkeep.service.js';
import { Actions } from './engine/actions.js';
import { ExecutorHost } from './engine/executor-host.js';
import { World } from './engine/world.js';
import { RollbackCoreModule } from './rollback-core.module.js';

const executor = {
  provide: ExecutorHost,
  inject: [World, Actions, Checks, AuditTrail],
  useFactory: (world: World, actions: Actions, checks: Checks, audit: AuditTrail) =>
    new ExecutorHost({ world, actions, checks, audit }),
};

/** Carries runs out, in the worker's half that no flag reaches. */
@Module({
  imports: [RollbackCoreModule],
  providers: [AnchorUpkeep, BackupUpkeep, EmergencyUpkeep, executor, RunbookDrills],
})
export class RollbackControlModule {}
