import type { LockedJob } from '../production.command.js';

export const jobLines = ['atelier', 'oem', 'hybrid'] as const;
export const jobStatuses = ['planned', 'in_progress', 'completed', 'cancelled'] as const;
export const processModes = ['piece', 'batch'] as const;
export const executions = ['tokens', 'stations'] as const;

export type JobLine = (typeof jobLines)[number];
export type JobStatus = (typeof jobStatuses)[number];

/** What a conflict tells of a job. */
export function factsOf(job: Pick<LockedJob, 'jobStatus' | 'execution' | 'instanceStatus'>) {
  return { status: job.jobStatus, execution: job.execution, instanceStatus: job.instanceStatus };
}
