import type pg from 'pg';
import type { z } from 'zod';
import type { Json, JsonObject } from './json.js';
import type { World } from './world.js';

/** What a step acts with and on whose behalf. */
export interface StepContext {
  readonly world: World;
  readonly runId: string;
  /**
   * SHA-256 over run, place and action; the same for every attempt, so that an effect can be had only once. Taking the
   * step back has a key of its own (`compensationKeyOf`).
   */
  readonly stepKey: string;
  /** Under which the run holds its lease; every effect in the application database shows it to the fence. */
  readonly epoch: bigint;
  readonly scope: 'live' | 'drill';
  /** Of `performance.now()`. */
  readonly deadline: number;
  readonly actor: string;
  readonly reason: string;
  /** Aborted when the lease is lost, the run is paused or the time is up. */
  readonly signal: AbortSignal;
  /** Tells watchers how far it is; cheap, and thinned out to a few a second. */
  readonly progress: (done: number, total: number, unit: string) => void;
  /**
   * One transaction of the application database: shows the epoch to the fence, answers the kept result when this step
   * was done before, else does the work and keeps its result, all or nothing.
   */
  readonly once: (work: (client: pg.ClientBase) => Promise<JsonObject>) => Promise<JsonObject>;
  /** One transaction of the control database that is refused when another executor has taken over. Keeps no result. */
  readonly inControl: <Result>(work: (client: pg.ClientBase) => Promise<Result>) => Promise<Result>;
  /** The `application_name` of any connection that does effects by itself: who takes over ends it by this name. */
  readonly sessionName: string;
  /** What a person said to a step that waited for them. */
  readonly confirmed: Confirmation | null;
}

export interface Confirmation {
  readonly by: string;
  readonly at: string;
  readonly facts: JsonObject;
}

/** Exactly what would change. */
export interface Preview {
  /** SQL, calls or flags, one an entry, as people can check them. */
  readonly changes: readonly string[];
  readonly estimatedMs: number;
  readonly lock: 'none' | 'row' | 'access-exclusive';
  readonly rows: number;
  readonly reversible: boolean;
  readonly notes: readonly string[];
}

export interface Evidence {
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  readonly facts: JsonObject;
}

/** What a look at the real world after a crash says about an effect. */
export type Reconciled =
  { readonly effect: 'done'; readonly result: JsonObject } | { readonly effect: 'not-done' | 'partial' };

export interface Retries {
  readonly attempts: number;
  /** Whether trying again may help; only for what is known to be harmless. */
  readonly when: (error: unknown) => boolean;
}

/**
 * One kind of step: a description and six functions. `execute`, `compensate` and `reconcile` may be called again after a
 * crash at any point, `verify` any number of times and by another way than the one that wrote.
 */
export interface Action<Input extends JsonObject = JsonObject> {
  /** As plans and runbooks name it, e.g. `flag.off`. */
  readonly name: string;
  readonly version: number;
  readonly input: z.ZodType<Input>;
  /** Whether a run stops when it does not come off. */
  readonly critical: boolean;
  /** Whether it touches schema or rows, so that a backup, checks and approvals stand before it. */
  readonly destructive: boolean;
  /** Whether it changes anything at all; what does is followed by a look at it. */
  readonly effect: boolean;
  readonly timeoutS: number;
  readonly retries: Retries;
  readonly emergency: 'must' | 'may' | 'never' | 'E4';
  /** Whether a failed run takes it back. What only switches off stays off. */
  readonly compensated: boolean;
  readonly inspect: (context: StepContext, input: Input) => Promise<JsonObject>;
  readonly preview: (context: StepContext, input: Input) => Promise<Preview>;
  readonly execute: (context: StepContext, input: Input) => Promise<JsonObject>;
  readonly verify: (context: StepContext, input: Input, done: Done) => Promise<Evidence>;
  readonly compensate: (context: StepContext, input: Input, done: Done) => Promise<JsonObject>;
  readonly reconcile: (context: StepContext, input: Input, before: JsonObject) => Promise<Reconciled>;
}

/** What the journal knows of an effect: the state before it, and its result unless it crashed. */
export interface Done {
  readonly before: JsonObject;
  readonly result: JsonObject | null;
}

/** Thrown by `execute` when the step goes on only after something outside: the run waits and asks again. */
export class StepWaits extends Error {
  override readonly name = 'StepWaits';

  constructor(
    readonly what: 'drain' | 'human',
    readonly facts: Record<string, Json> = {},
  ) {
    super(`waits for ${what}`);
  }
}
