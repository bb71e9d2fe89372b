import { randomUUIDv7 } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from './config/config.js';
import { openPool } from './database/pool.js';
import type { Domain } from './domain/domain.js';
import { Gate } from './domain/gate.js';
import { Presence } from './domain/presence.js';
import { Flags } from './flags/flags.js';
import { Overlay } from './flags/overlay.js';
import { within } from './jobs/patience.js';
import { createLogger } from './log/logger.js';
import { watchGate } from './metrics/gate.metrics.js';
import { Metrics } from './metrics/metrics.js';
import { RequestFigureLog } from './metrics/request-figure-log.js';
import { watchPool } from './metrics/watch-pool.js';

/** What lives as long as the process and is shared by every stage: settings, flags, the control database, log and metrics. */
export interface Runtime {
  readonly processId: string;
  readonly role: 'api' | 'worker' | 'cli';
  readonly config: Config;
  /** Every domain of the release, on or off, in order. */
  readonly domains: readonly Domain[];
  readonly gate: Gate;
  readonly flags: Flags;
  readonly overlay: Overlay;
  /** What other processes may know of this one. */
  readonly presence: Presence;
  /** Pool on the control database. */
  readonly control: pg.Pool;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface RunningRuntime extends Runtime {
  /** Signs the process off and lets its connections go, within five seconds. */
  close(): Promise<void>;
}

/** Injection tokens of the runtime's parts inside a Nest application. */
export const RUNTIME = Symbol('runtime');
export const CONFIG = Symbol('config');
export const CONTROL = Symbol('control');
export const LOG = Symbol('log');
export const METRICS = Symbol('metrics');
/** Every migration of the build, in order: what should be applied, and what can be taken down and up. */
export const LEDGERS = Symbol('ledgers');

/**
 * Everything that a process needs before its first application is composed. Throws `FlagsUnavailable` when no flags can
 * be had; without the control database it starts with every gated flag off.
 */
export async function startRuntime(
  role: Runtime['role'],
  domains: readonly Domain[],
  config: Config,
): Promise<RunningRuntime> {
  const processId = randomUUIDv7();
  const log = createLogger(config, role, processId);
  const metrics = new Metrics(role, config.BUILD_SHA);
  const flags = await Flags.open(config, domains, processId, log);
  const control = openPool(config.CONTROL_DATABASE_URL, {
    max: 5,
    statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: config.LOCK_TIMEOUT_MS,
    applicationName: `belay-${role}-control`,
  });
  const steering = openPool(config.CONTROL_DATABASE_URL, {
    max: 3,
    statementTimeoutMs: 2_000,
    lockTimeoutMs: 2_000,
    queryTimeoutMs: 2_000,
    applicationName: `belay-${role}-steering`,
  });
  const presence = new Presence({ processId, role, buildSha: config.BUILD_SHA, pool: steering, log });
  const overlay = await Overlay.open({
    url: config.CONTROL_DATABASE_URL,
    pool: steering,
    log,
    acknowledge: (seq) => {
      presence.acknowledge(seq);
    },
  });
  const gate = new Gate(domains, flags, overlay, config.EMERGENCY_ROLLBACK);
  await presence.begin(() => flags.sha256);
  const figures = new RequestFigureLog({ processId, figures: metrics.requests, pool: steering, log });
  if (role === 'api') figures.begin();
  watchGate(metrics, domains, gate, overlay);
  watchPool(metrics, 'control', control);

  const close = async () => {
    flags.close();
    const signOff = Promise.all([overlay.close(), presence.close(), figures.close()]).then(() => steering.end());
    // A database that does not answer must not keep a process from ending.
    await within(Promise.all([signOff, control.end()]), 5_000);
  };
  return {
    processId,
    role,
    config,
    domains,
    gate,
    flags,
    overlay,
    presence,
    control,
    log,
    metrics,
    close,
  };
}
