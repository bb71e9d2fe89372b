import { Module } from '@nestjs/common';
import { Versions } from './graphs/version.reader.js';
import { JobCompletion } from './lifecycle/job-completion.service.js';
import { Joining } from './lifecycle/joining.service.js';
import { LifecycleMetrics } from './lifecycle/lifecycle-metrics.service.js';
import { LifecycleProcessor } from './lifecycle/lifecycle.processor.js';
import { Overdue } from './lifecycle/overdue.service.js';
import { Routing } from './lifecycle/routing.service.js';
import { Scrapping } from './lifecycle/scrapping.service.js';
import { Sinking } from './lifecycle/sinking.service.js';
import { Spawning } from './lifecycle/spawning.service.js';
import { Splitting } from './lifecycle/splitting.service.js';
import { TokenLifecycle } from './lifecycle/token-lifecycle.service.js';
import { TokenStore } from './lifecycle/token.store.js';
import { Waiting } from './lifecycle/waiting.service.js';
import { Clock, Commands } from './production.command.js';
import { ProductionReader } from './production.reader.js';
import { RetentionProcessor } from './retention.processor.js';
import { SiteScope } from './site-scope.service.js';
import { JobNews } from './tickets/job-news.service.js';
import { Serials } from './tickets/serial.service.js';
import { StationProcessor } from './tickets/station.processor.js';
import { StationService } from './tickets/station.service.js';
import { Absence } from './work/absence.service.js';
import { AssignmentLog } from './work/assignment-log.service.js';
import { AssignmentPolicies } from './work/assignment-policies.service.js';
import { PolicyRegister } from './work/assignment-policy.contract.js';
import { AssignmentRows } from './work/assignment-rows.service.js';
import { CoreAssignment } from './work/core-assignment.service.js';
import { CorrectionService } from './work/correction.service.js';
import { Decisions } from './work/decisions.service.js';
import { HealthService } from './work/health.service.js';
import { Limiting } from './work/limiting.service.js';
import { PauseService } from './work/pause.service.js';
import { Placement } from './work/placement.service.js';
import { QueueOutlook } from './work/queue-outlook.service.js';
import { Reassignment } from './work/reassignment.service.js';
import { RoomService } from './work/room.service.js';
import { SessionUpkeep } from './work/session-upkeep.service.js';
import { Turns } from './work/turns.service.js';
import { WaitEstimates } from './work/wait-estimate.service.js';
import { WakeUp } from './work/wake-up.service.js';
import { Wake } from './work/wake.service.js';
import { WorkAccess } from './work/work-access.service.js';
import { WorkMetrics } from './work/work-metrics.service.js';
import { WorkNodes } from './work/work-node.service.js';
import { WorkSessions } from './work/work-sessions.service.js';
import { WorkProcessor } from './work/work.processor.js';

@Module({
  providers: [
    { provide: PolicyRegister, useExisting: AssignmentPolicies },
    Absence,
    AssignmentLog,
    AssignmentPolicies,
    AssignmentRows,
    Clock,
    Commands,
    CoreAssignment,
    CorrectionService,
    Decisions,
    HealthService,
    JobCompletion,
    JobNews,
    Joining,
    LifecycleMetrics,
    LifecycleProcessor,
    Limiting,
    Overdue,
    PauseService,
    Placement,
    ProductionReader,
    QueueOutlook,
    Reassignment,
    RetentionProcessor,
    RoomService,
    Routing,
    Scrapping,
    Serials,
    SessionUpkeep,
    Sinking,
    SiteScope,
    Spawning,
    Splitting,
    StationProcessor,
    StationService,
    TokenLifecycle,
    TokenStore,
    Turns,
    Versions,
    WaitEstimates,
    Waiting,
    Wake,
    WakeUp,
    WorkAccess,
    WorkMetrics,
    WorkNodes,
    WorkProcessor,
    WorkSessions,
  ],
  exports: [PolicyRegister, ProductionReader],
})
export class ProductionJobsModule {}
