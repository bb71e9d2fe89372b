import { Module } from '@nestjs/common';
import { production } from '@belay/production';
import { AvailabilityController } from './availability/availability.controller.js';
import { AvailabilityService } from './availability/availability.service.js';
import { LeaveController } from './leave/leave.controller.js';
import { LeaveService } from './leave/leave.service.js';
import { LogController } from './log/log.controller.js';
import { LogService } from './log/log.service.js';
import { PeopleScope } from './people-scope.service.js';
import { PinService } from './plans/pin.service.js';
import { PlanNews } from './plans/plan-news.service.js';
import { PlanPlaces } from './plans/plan-places.service.js';
import { PlanController } from './plans/plan.controller.js';
import { PlanService } from './plans/plan.service.js';
import { PolicyRegistration } from './policy-registration.service.js';
import { Cycles } from './resolver/cycles.service.js';
import { Eligibility } from './resolver/eligibility.service.js';
import { LogEntries } from './resolver/log-entries.service.js';
import { PreviewController } from './resolver/preview.controller.js';
import { PreviewService } from './resolver/preview.service.js';
import { ResolverMetrics } from './resolver/resolver-metrics.service.js';
import { ResolverPolicy } from './resolver/resolver-policy.service.js';
import { ReviewController } from './resolver/review.controller.js';
import { ReviewService } from './resolver/review.service.js';
import { Snapshots } from './resolver/snapshots.service.js';
import { WhatIfService } from './resolver/what-if.service.js';
import { Attendances } from './state/attendances.service.js';
import { OperatorStates } from './state/operator-states.service.js';
import { PeopleMonitorService } from './workload/people-monitor.service.js';
import { WorkloadMetrics } from './workload/workload-metrics.service.js';
import { WorkloadController } from './workload/workload.controller.js';
import { WorkloadService } from './workload/workload.service.js';

@Module({
  imports: [production.module],
  controllers: [
    AvailabilityController,
    LeaveController,
    LogController,
    PlanController,
    PreviewController,
    ReviewController,
    WorkloadController,
  ],
  providers: [
    Attendances,
    AvailabilityService,
    Cycles,
    Eligibility,
    LeaveService,
    LogEntries,
    LogService,
    OperatorStates,
    PeopleMonitorService,
    PeopleScope,
    PinService,
    PlanNews,
    PlanPlaces,
    PlanService,
    PolicyRegistration,
    PreviewService,
    ResolverMetrics,
    ResolverPolicy,
    ReviewService,
    Snapshots,
    WhatIfService,
    WorkloadMetrics,
    WorkloadService,
  ],
})
export class AssignmentModule {}
