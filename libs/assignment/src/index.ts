export type { OperatorAvailable, OperatorUnavailable, PlanChanged } from './assignment.events.js';
export { assignment } from './assignment.manifest.js';
export { rosterView, teamDaysView, type RosterView, type TeamDaysView } from './availability/availability.contract.js';
export { leaveView, type LeaveView } from './leave/leave.contract.js';
export { logEntry, type LogEntry } from './log/log.contract.js';
export { pinView, planView, type PinView, type PlanView } from './plans/plan.contract.js';
export {
  decisionView,
  plansPreview,
  whatIfView,
  type DecisionView,
  type PlansPreview,
  type WhatIfView,
} from './resolver/preview.contract.js';
export { agreementView, replayView, type AgreementView, type ReplayView } from './resolver/review.contract.js';
export { peopleMonitor, workloadView, type PeopleMonitor, type WorkloadView } from './workload/workload.contract.js';
