import type { Domain } from './domain.js';

/** An API of its own on another database, without a port: what it answers is what that database is good for. */
export interface BootedStage {
  /** On behalf of somebody who may read everything. */
  ask(method: 'GET' | 'POST', path: string): Promise<{ readonly status: number; readonly code: string | undefined }>;
  close(): Promise<void>;
}

/** Given by the process to what no flag reaches, because only an app can compose another one. */
export interface StageBooter {
  /** With exactly these domains, all of them on whatever the flags say. */
  boot(databaseUrl: string, enabled: readonly Domain[]): Promise<BootedStage>;
}

export const STAGES = Symbol('stages');
