import type pg from 'pg';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Config } from './config/config.js';
import type { Domain } from './domain/domain.js';
import type { Gate } from './domain/gate.js';

/** What lives as long as the process and is shared by every stage: settings, flags, the control database, log and metrics. */
export interface Runtime {
  readonly processId: string;
  readonly role: 'api' | 'worker' | 'cli';
  readonly config: Config;
  /** Every domain of the release, on or off, in order. */
  readonly domains: readonly Domain[];
  readonly gate: Gate;
  /** Pool on the control database. */
  readonly control: pg.Pool;
  readonly log: Logger;
  readonly metrics: Registry;
}

/** Injection tokens of the runtime's parts inside a Nest application. */
export const RUNTIME = Symbol('runtime');
export const CONFIG = Symbol('config');
export const CONTROL = Symbol('control');
export const LOG = Symbol('log');
export const METRICS = Symbol('metrics');
