export { Caller, SYSTEM_ACCOUNT, type CallerFacts, type Grant, type IdempotencyClaim } from './auth/caller.js';
export { BadConfig, readConfig, type Config } from './config/config.js';
export { Database } from './database/database.js';
export { openPool, poolOptions, type PoolLimits } from './database/pool.js';
export { statement, type Executor, type Statement } from './database/statement.js';
export { databaseError, violates } from './database/violation.js';
export { enabledDomains, type Domain, type Feature } from './domain/domain.js';
export { Conflict, InvalidRequest, NotFound, Problem, type ProblemKind } from './problem/problem.js';
export { CONFIG, CONTROL, LOG, METRICS, RUNTIME, type Runtime } from './runtime.js';
