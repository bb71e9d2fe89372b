import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { z } from 'zod';
import type { Json } from '../engine/json.js';

/** Silent for longer is dead, and nobody waits for it. */
const ALIVE_WITHIN = '5 seconds';

const activeJob = z.object({ id: z.string(), domain: z.string(), name: z.string(), since: z.string() });
export type RunningJobFacts = z.infer<typeof activeJob>;

const liveProcess = z.object({
  id: z.string(),
  role: z.enum(['api', 'worker', 'cli']),
  host: z.string(),
  pid: z.number(),
  url: z.string().nullable(),
  seq: z.string().transform(BigInt),
  booted: z.array(z.string()),
  jobs: z.array(z.union([activeJob, z.string()])),
});
export type LiveProcess = z.infer<typeof liveProcess>;

/** Every process that has told of itself within five seconds, by the clock of the control database. */
export async function liveProcesses(control: pg.Pool | pg.ClientBase): Promise<readonly LiveProcess[]> {
  const { rows } = await control.query(
    `SELECT id, role, host, pid, url, applied_seq AS seq, booted, active_jobs AS jobs FROM control.process
     WHERE at > clock_timestamp() - interval '${ALIVE_WITHIN}' ORDER BY started_at, id`,
  );
  return z.array(liveProcess).parse(rows);
}

/** The jobs of the domain that the processes themselves say they are at. */
export function jobsOf(processes: readonly LiveProcess[], domain: string): readonly RunningJobFacts[] {
  return processes.flatMap(({ jobs }) =>
    jobs.flatMap((job) => (typeof job === 'string' || job.domain !== domain ? [] : [job])),
  );
}

export interface Acknowledged {
  readonly processes: number;
  /** Those that live and have not respected the override in time. */
  readonly behind: readonly LiveProcess[];
  readonly ms: number;
}

/** Waits until every live process respects the overrides up to that number, or has died, or time is up. */
export async function acknowledged(
  control: pg.Pool,
  seq: bigint,
  until: number,
  signal: AbortSignal,
): Promise<Acknowledged> {
  const began = performance.now();
  for (;;) {
    const processes = await liveProcesses(control);
    const behind = processes.filter((process) => process.seq < seq);
    const ms = Math.round(performance.now() - began);
    if (behind.length === 0 || performance.now() >= until) return { processes: processes.length, behind, ms };
    await sleep(20, undefined, { signal });
  }
}

/** As people find a process. */
export function placeOf({ id, role, host, pid }: LiveProcess): Json {
  return { id, role, host, pid };
}
