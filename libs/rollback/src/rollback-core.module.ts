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
import { actions } from './actions/registry.js';
import { Anchors } from './audit/anchors.service.js';
import { AuditReader } from './audit/audit-reader.service.js';
import { AuditExports } from './audit/exports.service.js';
import { Backups } from './backups/backups.service.js';
import { Checks } from './checks/checks.js';
import { Emergencies } from './emergency/emergencies.service.js';
import { OverlayStop } from './emergency/overlay-stop.service.js';
import { Actions } from './engine/actions.js';
import { World } from './engine/world.js';
import { Overrides } from './flags/overrides.service.js';
import { DryRuns } from './plans/dry-run.service.js';
import { Planner } from './plans/planner.service.js';
import { Plans } from './plans/plans.service.js';
import { Runbooks } from './plans/runbooks.service.js';
import { Kept } from './restores/kept.service.js';
import { Markers } from './restores/markers.service.js';
import { Restores } from './restores/restores.service.js';
import { RunEventLog } from './runs/run-events.service.js';
import { RunReader } from './runs/run-reader.service.js';
import { RunReports } from './runs/run-report.service.js';
import { RunWishes } from './runs/run-wishes.service.js';
import { Runs } from './runs/runs.service.js';

const world = {
  provide: World,
  inject: [RUNTIME, LEDGERS, { token: STAGES, optional: true }],
  useFactory: (runtime: Runtime, ledgers: readonly Ledger[], stages?: StageBooter) =>
    new World(runtime, ledgers, stages),
};

const known = { provide: Actions, useFactory: () => new Actions(actions) };

const services = [
  Anchors,
  AuditExports,
  AuditReader,
  AuditTrail,
  Backups,
  Checks,
  ControlDatabase,
  DryRuns,
  Emergencies,
  known,
  Planner,
  Plans,
  Kept,
  Markers,
  OverlayStop,
  Overrides,
  Restores,
  Runbooks,
  RunEventLog,
  RunReader,
  RunReports,
  RunWishes,
  Runs,
];

/** What the API, the executor and the command line share: planning, checking and remembering. */
@Module({ providers: [world, ...services], exports: [World, ...services] })
export class RollbackCoreModule implements OnApplicationShutdown {
  constructor(private readonly world: World) {}

  async onApplicationShutdown(): Promise<void> {
    await this.world.close();
  }
}
