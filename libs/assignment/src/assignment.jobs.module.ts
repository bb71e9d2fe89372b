import { Module } from '@nestjs/common';
import { production } from '@belay/production';
import { PlanNews } from './plans/plan-news.service.js';
import { PolicyRegistration } from './policy-registration.service.js';
import { Cycles } from './resolver/cycles.service.js';
import { Eligibility } from './resolver/eligibility.service.js';
import { LogEntries } from './resolver/log-entries.service.js';
import { ResolverMetrics } from './resolver/resolver-metrics.service.js';
import { ResolverPolicy } from './resolver/resolver-policy.service.js';
import { Snapshots } from './resolver/snapshots.service.js';
import { RetentionProcessor } from './retention.processor.js';
import { Attendances } from './state/attendances.service.js';
import { OperatorStateProcessor } from './state/operator-state.processor.js';
import { OperatorStates } from './state/operator-states.service.js';
import { RuntimeStart } from './state/runtime-start.service.js';

@Module({
  imports: [production.jobs],
  providers: [
    Attendances,
    Cycles,
    Eligibility,
    LogEntries,
    OperatorStateProcessor,
    OperatorStates,
    PlanNews,
    PolicyRegistration,
    ResolverMetrics,
    ResolverPolicy,
    RetentionProcessor,
    RuntimeStart,
    Snapshots,
  ],
})
export class AssignmentJobsModule {}
