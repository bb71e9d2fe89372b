export { graphCheck, graphView, type GraphView } from './graphs/graph.contract.js';
export { nodeLimits } from './graphs/limit.contract.js';
export { versionItem, versionView, type VersionItem } from './graphs/version.contract.js';
export { workCenterView, type WorkCenterView } from './graphs/work-center.contract.js';
export { tokenView, type TokenView } from './lifecycle/token.contract.js';
export type { AssignmentChanged, GraphPublished, JobChanged, QueueWake, TokenEvent } from './production.events.js';
export { production } from './production.manifest.js';
export {
  progressView,
  runView,
  ticketView,
  type ProgressView,
  type RunView,
  type TicketView,
} from './tickets/ticket.contract.js';
export { ProductionReader, type PlannedNode } from './production.reader.js';
export type { UndecidedToken } from './work/node-queue.queries.js';
export type { Room } from './work/queue-outlook.service.js';
export {
  AssignmentPolicy,
  PolicyRegister,
  type Alternative,
  type AssignmentFact,
  type AssignmentFacts,
  type Assignee,
  type Decision,
  type NodeToAssign,
  type PolicyFlags,
  type Question,
  type TokenToAssign,
  type Verdict,
  type WorkQuestion,
} from './work/assignment-policy.contract.js';
export { assignedTokens, assignmentList, assignmentView, type AssignmentView } from './work/assignment.contract.js';
export { findingList, type FindingView } from './work/finding.contract.js';
export { currentSessions, currentWork, sessionView, workView, type WorkView } from './work/session.contract.js';
export { workQueue, type WorkItem } from './work/work-queue.contract.js';
