import { Caller } from '../auth/caller.js';

/** Ends a job that may not go on: it is put back into its queue, neither lost nor failed. */
export class JobHeld extends Error {
  override readonly name = 'JobHeld';
}

export interface JobFacts {
  readonly id: string;
  readonly domain: string;
  readonly name: string;
  /** 1 the first time. Being put back is no attempt; dying with a worker is one that is not counted. */
  readonly attempt: number;
  /** Of the request that began it all, or the id of the cron's job. */
  readonly requestId: string;
  /** Aborted when the worker stops and has waited long enough, or when another worker has the job by now. */
  readonly signal: AbortSignal;
}

/** What a handler knows of the job it does. */
export class RunningJob implements JobFacts {
  readonly id: string;
  readonly domain: string;
  readonly name: string;
  readonly attempt: number;
  readonly requestId: string;
  readonly signal: AbortSignal;
  /** In whose name it works: Belay's own, under the request that began it. */
  readonly caller: Caller;

  constructor(
    facts: JobFacts,
    private readonly mayGoOn: () => boolean,
  ) {
    this.id = facts.id;
    this.domain = facts.domain;
    this.name = facts.name;
    this.attempt = facts.attempt;
    this.requestId = facts.requestId;
    this.signal = facts.signal;
    this.caller = Caller.system(facts.requestId, `${facts.domain}.${facts.name}`);
  }

  /**
   * Call it between steps and last in every transaction: throws `JobHeld` when the module was switched off meanwhile or
   * the worker stops, so that the transaction is rolled back and the job is done later.
   */
  checkpoint(): void {
    if (this.signal.aborted || !this.mayGoOn()) throw new JobHeld(`${this.domain}.${this.name} may not go on`);
  }
}
