import { Module } from '@nestjs/common';
import { GraphController } from './graphs/graph.controller.js';
import { GraphService } from './graphs/graph.service.js';
import { LimitController } from './graphs/limit.controller.js';
import { LimitService } from './graphs/limit.service.js';
import { PublicationService } from './graphs/publication.service.js';
import { VersionController } from './graphs/version.controller.js';
import { Versions } from './graphs/version.reader.js';
import { VersionService } from './graphs/version.service.js';
import { WorkCenterController } from './graphs/work-center.controller.js';
import { WorkCenterService } from './graphs/work-center.service.js';
import { HistoryController } from './history/history.controller.js';
import { HistoryService } from './history/history.service.js';
import { JobCompletion } from './lifecycle/job-completion.service.js';
import { Joining } from './lifecycle/joining.service.js';
import { LifecycleMetrics } from './lifecycle/lifecycle-metrics.service.js';
import { Overdue } from './lifecycle/overdue.service.js';
import { QcService } from './lifecycle/qc.service.js';
import { Routing } from './lifecycle/routing.service.js';
import { Scrapping } from './lifecycle/scrapping.service.js';
import { Sinking } from './lifecycle/sinking.service.js';
import { Spawning } from './lifecycle/spawning.service.js';
import { Splitting } from './lifecycle/splitting.service.js';
import { StepViews } from './lifecycle/step-view.service.js';
import { StepService } from './lifecycle/step.service.js';
import { Supervision } from './lifecycle/supervision.service.js';
import { TokenLifecycle } from './lifecycle/token-lifecycle.service.js';
import { TokenViews } from './lifecycle/token-view.service.js';
import { FlowTokenController } from './lifecycle/flow-token.controller.js';
import { TokenStore } from './lifecycle/token.store.js';
import { Waiting } from './lifecycle/waiting.service.js';
import { Clock, Commands } from './production.command.js';
import { ProductionReader } from './production.reader.js';
import { SiteScope } from './site-scope.service.js';
import { HandOverService } from './tickets/hand-over.service.js';
import { JobNews } from './tickets/job-news.service.js';
import { ProgressService } from './tickets/progress.service.js';
import { RunController } from './tickets/run.controller.js';
import { RunService } from './tickets/run.service.js';
import { Serials } from './tickets/serial.service.js';
import { StationService } from './tickets/station.service.js';
import { TicketController } from './tickets/ticket.controller.js';
import { TicketService } from './tickets/ticket.service.js';
import { Absence } from './work/absence.service.js';
import { AssignService } from './work/assign.service.js';
import { AssignmentLog } from './work/assignment-log.service.js';
import { AssignmentPolicies } from './work/assignment-policies.service.js';
import { PolicyRegister } from './work/assignment-policy.contract.js';
import { AssignmentRows } from './work/assignment-rows.service.js';
import { AssignmentViews } from './work/assignment-view.service.js';
import { AssignmentController } from './work/assignment.controller.js';
import { CoreAssignment } from './work/core-assignment.service.js';
import { CorrectionService } from './work/correction.service.js';
import { Decisions } from './work/decisions.service.js';
import { FindingController } from './work/finding.controller.js';
import { HealthService } from './work/health.service.js';
import { Limiting } from './work/limiting.service.js';
import { OverrideService } from './work/override.service.js';
import { PauseService } from './work/pause.service.js';
import { PausedQueue } from './work/paused-queue.service.js';
import { Placement } from './work/placement.service.js';
import { QueueOutlook } from './work/queue-outlook.service.js';
import { Reassignment } from './work/reassignment.service.js';
import { RepairService } from './work/repair.service.js';
import { ResponseService } from './work/response.service.js';
import { ResumeService } from './work/resume.service.js';
import { RoomService } from './work/room.service.js';
import { SessionUpkeep } from './work/session-upkeep.service.js';
import { SessionController } from './work/session.controller.js';
import { SessionService } from './work/session.service.js';
import { StartService } from './work/start.service.js';
import { Targets } from './work/target.service.js';
import { Turns } from './work/turns.service.js';
import { WaitEstimates } from './work/wait-estimate.service.js';
import { WakeUp } from './work/wake-up.service.js';
import { Wake } from './work/wake.service.js';
import { WorkAccess } from './work/work-access.service.js';
import { WorkMetrics } from './work/work-metrics.service.js';
import { WorkNodes } from './work/work-node.service.js';
import { WorkQueueStream } from './work/work-queue-stream.service.js';
import { WorkQueueService } from './work/work-queue.service.js';
import { WorkSessions } from './work/work-sessions.service.js';
import { WorkController } from './work/work.controller.js';

@Module({
  controllers: [
    AssignmentController,
    FindingController,
    GraphController,
    HistoryController,
    LimitController,
    RunController,
    SessionController,
    TicketController,
    FlowTokenController,
    VersionController,
    WorkCenterController,
    WorkController,
  ],
  providers: [
    { provide: PolicyRegister, useExisting: AssignmentPolicies },
    Absence,
    AssignmentLog,
    AssignmentPolicies,
    AssignmentRows,
    AssignmentViews,
    AssignService,
    Clock,
    Commands,
    CoreAssignment,
    CorrectionService,
    Decisions,
    GraphService,
    HandOverService,
    HealthService,
    HistoryService,
    JobCompletion,
    JobNews,
    Joining,
    LifecycleMetrics,
    Limiting,
    LimitService,
    Overdue,
    OverrideService,
    PausedQueue,
    PauseService,
    Placement,
    ProductionReader,
    ProgressService,
    PublicationService,
    QcService,
    QueueOutlook,
    Reassignment,
    RepairService,
    ResponseService,
    ResumeService,
    RoomService,
    Routing,
    RunService,
    Scrapping,
    Serials,
    SessionService,
    SessionUpkeep,
    Sinking,
    SiteScope,
    Spawning,
    Splitting,
    StartService,
    StationService,
    StepService,
    StepViews,
    Supervision,
    Targets,
    TicketService,
    TokenLifecycle,
    TokenStore,
    TokenViews,
    Turns,
    Versions,
    VersionService,
    WaitEstimates,
    Waiting,
    Wake,
    WakeUp,
    WorkAccess,
    WorkCenterService,
    WorkMetrics,
    WorkNodes,
    WorkQueueService,
    WorkQueueStream,
    WorkSessions,
  ],
  exports: [PolicyRegister, ProductionReader],
})
export class ProductionModule {}
