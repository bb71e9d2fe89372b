export { GENESIS, hashOf, type AuditEntry, type ChainedEntry, type NewAuditEntry } from './audit/audit-entry.js';
export { AuditTrail, type AuditBatch, type AuditRange, type Verification } from './audit/audit-trail.js';
export type { Break, BreakReason, Link } from './audit/chain.js';
export { Public, Requires, SignedIn } from './auth/access.decorators.js';
export { Accounts, type AccountFacts, type ApiTokenFacts, type OidcIdentity } from './auth/accounts.js';
export { PermissionMissing, SamePerson, TokenRefused } from './auth/auth.problems.js';
export { Caller, SYSTEM_ACCOUNT, type CallerFacts, type Grant, type IdempotencyClaim } from './auth/caller.js';
export { gateContext } from './auth/gate-context.js';
export { PasswordSignIn } from './auth/password-sign-in.js';
export { Seal } from './auth/seal.js';
export { Sessions } from './auth/sessions.js';
export { ACCESS_TOKEN_SECONDS, SigningKeys, type AccessClaims } from './auth/signing-keys.js';
export { BadConfig, readConfig, type Config } from './config/config.js';
export { ControlDatabase } from './database/control-database.js';
export { claimValues, Database, forgetIdempotencyKeys, keepAnswer } from './database/database.js';
export { isoInstant } from './database/instant.js';
export { Listener } from './database/listener.js';
export { openPool, poolOptions, type PoolLimits } from './database/pool.js';
export { statement, type Executor, type Statement } from './database/statement.js';
export { inTransaction } from './database/transaction.js';
export { BusyRetry } from './database/database.problems.js';
export { databaseError, violates } from './database/violation.js';
export type { CommandHost, OpenHost } from './domain/command-host.js';
export { healthOfDomains, type DomainHealth, type DomainsHealth, type FeatureHealth } from './domain/domain-health.js';
export { enabledDomains, type Domain, type Feature } from './domain/domain.js';
export { AllowedWhenReadOnly, FinishesOpenWork, InFeature, KeptBy } from './domain/gate.decorators.js';
export { Gate, type FlagVerdict } from './domain/gate.js';
export { FeatureDraining, FeatureOff, FeatureReadOnly, ModuleOff, WritesStopped } from './domain/gate.problems.js';
export { Presence, type ActiveJob } from './domain/presence.js';
export { Stage, type StageOptions } from './domain/stage.js';
export { STAGES, type BootedStage, type StageBooter } from './domain/stage-booter.js';
export { FlagsUnavailable, type FlagOrigin } from './flags/flag-feed.js';
export { BadFlags, defaultFlagsDocument, parseFlags, type FlagsDocument } from './flags/flags-document.js';
export { Flags, type FlagReading, type GateContext } from './flags/flags.js';
export type { Mode } from './flags/mode.js';
export { Overlay } from './flags/overlay.js';
export {
  abortJobs,
  EMERGENCY_ROLLBACK,
  PLATFORM_WRITES,
  registeredFlags,
  type RegisteredFlag,
} from './flags/registry.js';
export { Health, NotInOrder, type Look } from './health/health.js';
export { HealthModule } from './health/health.module.js';
export { probeListener } from './health/probe-listener.js';
export { By } from './http/caller.decorator.js';
export { Endpoint, type EndpointOptions, type ProblemName } from './http/endpoint.decorator.js';
export { EventStreams, LastEventId, type Follow, type StreamEvent } from './http/event-streams.js';
export { containing, line, search, yesOrNo } from './http/fields.js';
export { HttpModule } from './http/http.module.js';
export { PreconditionFailed } from './http/http.problems.js';
export { IfMatch } from './http/if-match.decorator.js';
export { decodeCursor, encodeCursor, listFrom, listOf, page, type List, type Page } from './http/list.js';
export { callerOf } from './http/request.js';
export { Upload } from './http/uploads.js';
export { Routes, type Route } from './http/routes.js';
export { fastifyAdapter, prefixRoutes, prepareServer } from './http/server.js';
export { DeadLetterNotFound, DeadLetters, type DeadLetter } from './jobs/dead-letters.js';
export { slotId } from './jobs/crons.js';
export { readableJobs } from './jobs/job-handlers.js';
export { JobRunner } from './jobs/job-runner.js';
export { jobType, type JobDeclaration, type JobType } from './jobs/job-type.js';
export { Consumes, CronJob, Job, type CronDeclaration, type DeliveredEvent } from './jobs/job.decorators.js';
export { Jobs, QueueUnavailable } from './jobs/jobs.js';
export { JobsModule } from './jobs/jobs.module.js';
export { hurried, unhurried, within } from './jobs/patience.js';
export { prepareQueues } from './jobs/postgres-backend.js';
export { Queues, type QueueCounts, type RunningNow } from './jobs/queues.js';
export { JobHeld, type RunningJob } from './jobs/running-job.js';
export { createLogger, logCrashes, type LogConfig } from './log/logger.js';
export { inLogContext } from './log/log-context.js';
export { NestLogger } from './log/nest-logger.js';
export { LiveGauge, type Reading, type Source } from './metrics/live-gauge.js';
export { Metrics } from './metrics/metrics.js';
export { latencyMs } from './metrics/request-figures.js';
export {
  catalog,
  catalogDifferences,
  catalogFingerprint,
  catalogHash,
  type Catalog,
  type CatalogDifference,
  type CatalogFingerprint,
} from './migrations/catalog.js';
export { createLedgerTable } from './migrations/ledger-table.js';
export {
  foreseeMigration,
  migrateAll,
  migrateDown,
  migrateUp,
  recordSchema,
  type MigrateOptions,
} from './migrations/migrate.js';
export { retryLocked } from './migrations/retry.js';
export { migrationStatus, type MigrationStatus } from './migrations/status.js';
export type { MigrationTargets } from './migrations/targets.js';
export type { ForeseenStep, Inside, MigrationStep } from './migrations/domain-migrator.js';
export type { Extent } from './migrations/migration.rules.js';
export { parkedNow, type ParkedNow } from './migrations/parked-objects.js';
export { featureMigrations, type ChangeClass, type Ledger, type Migration } from './migrations/ledger.js';
export { PlatformModule } from './platform.module.js';
export { problem, type ProblemBody } from './problem/problem.contract.js';
export { Inbox } from './outbox/inbox.js';
export { Outbox, type OutboxEvent } from './outbox/outbox.js';
export { OutboxRelay, type OutboxLag } from './outbox/outbox-relay.js';
export { Conflict, InvalidRequest, NotFound, Problem, type ProblemKind } from './problem/problem.js';
export {
  sameAsMarker,
  tableFingerprint,
  fingerprintsOf,
  markerUnreadable,
  inUtc,
  tablesSameAsMarker,
} from './recovery/marker-comparison.js';
export {
  changedBy,
  changedSince,
  RecoveredSchema,
  type ChangedRecord,
  type RecoveredTable,
} from './recovery/recovered-schema.js';
export { hashedPlan, plannedTables } from './recovery/recovery-plan.js';
export {
  actAsRun,
  setSavepoint,
  releaseSavepoint,
  refusalOf,
  takeAwaySql,
  rollBackToSavepoint,
} from './recovery/recovery-transaction.js';
export { flagOff, getProbe, stopJobs, verifyDomain } from './recovery/runbook-parts.js';
export {
  RecoveryRefused,
  type DataLossNote,
  type DomainRecovery,
  type Guard,
  type Invariant,
  type Probe,
  type RecoveryContext,
  type RecoveryFinding,
  type RecoveryHooks,
  type RecoveryInput,
  type RecoveryMarker,
  type RecoveryOutcome,
  type RecoveryPlan,
  type RunbookStep,
  type RunbookTemplate,
} from './recovery/recovery.js';
export {
  CONFIG,
  CONTROL,
  LEDGERS,
  LOG,
  METRICS,
  RUNTIME,
  startRuntime,
  type RunningRuntime,
  type Runtime,
} from './runtime.js';
