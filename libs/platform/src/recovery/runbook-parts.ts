import type { Probe, RunbookStep } from './recovery.js';

/** What anybody who may read is to be told at the path; `code` is the slug of the problem, when it is to be one. */
export function getProbe(name: string, path: string, status: number, code?: string): Probe {
  return { kind: 'http', name, method: 'GET', path, status, ...(code !== undefined && { code }) };
}

export function flagOff(key: string, flag: string): RunbookStep {
  return { key, action: 'flag.off', params: { flag }, timeoutS: 30, onFail: 'hold' };
}

export function stopJobs(domain: string): RunbookStep {
  return { key: 'jobs', action: 'jobs.stop', params: { domain }, timeoutS: 60, onFail: 'hold' };
}

export function verifyDomain(domain: string, timeoutS: number): RunbookStep {
  return { key: 'verify', action: 'verify.domain', params: { domain }, timeoutS, onFail: 'hold' };
}
