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
import { createLogger } from './log/logger.js';
import { Metrics } from './metrics/metrics.js';

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
  const flags = await Flags.open(config, domains, processId, log);
  const control = openPool(config.CONTROL_DATABASE_URL, {
    max: 5,
    statementTimeoutMs: config.STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: config.LOCK_TIMEOUT_MS,
    applicationName: `belay-${role}-control`,
  });
  const presence = new Presence({ processId, role, buildSha: config.BUILD_SHA, control, log });
  const overlay = await Overlay.open({
    url: config.CONTROL_DATABASE_URL,
    log,
    acknowledge: (seq) => {
      presence.acknowledge(seq);
    },
  });
  const gate = new Gate(domains, flags, overlay, config.EMERGENCY_ROLLBACK);
  await presence.begin(() => flags.sha256);

  const close = async () => {
    flags.close();
    await within(
      5_000,
      (async () => {
        await Promise.all([overlay.close(), presence.close()]);
        await control.end();
      })(),
    );
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
    metrics: new Metrics(role, config.BUILD_SHA),
    close,
  };
}

/** A database that does not answer must not keep a process from ending. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  const gaveUp = new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
  await Promise.race([work, gaveUp]);
}
