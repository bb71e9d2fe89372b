import type { EntityManager } from 'typeorm';
import type { Executor } from '../database/statement.js';

/** Corrupted data is acted on at once, wrong money within hours. */
type RecoverySeverity = 'critical' | 'high';

/** What a run looks at from outside to know which state the domain is in. */
export type Probe =
  | {
      readonly kind: 'http';
      readonly name: string;
      readonly method: 'GET' | 'POST';
      readonly path: string;
      readonly status: number;
      /** Slug of the problem, when it is to be one. */
      readonly code?: string;
    }
  /** Rows are defects; `$1` is the most that is wanted, `$2` the time of the marker. */
  | { readonly kind: 'rows'; readonly name: string; readonly sql: string }
  /** Nothing of the domain runs, and nothing new was queued between two looks. */
  | { readonly kind: 'jobs-idle'; readonly name: string };

export interface Invariant {
  readonly name: string;
  /** What holds when nothing comes back. */
  readonly holds: string;
  readonly severity: RecoverySeverity;
  readonly find: (on: Executor, most: number) => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** What stands in the way of taking the schema down; counted again inside the transaction that does it. */
export interface Guard {
  readonly object: string;
  readonly mode: 'park' | 'require-empty' | 'refuse';
  readonly count: string;
}

export interface RunbookStep {
  readonly key: string;
  /** Of the rollback system's actions, e.g. `flag.off`, `jobs.stop`, `migration.down`. */
  readonly action: string;
  readonly params: Readonly<Record<string, string | readonly string[]>>;
  readonly optional?: true;
  readonly timeoutS: number;
  readonly onFail: 'compensate' | 'hold' | 'continue';
}

/** A runbook as data; people may add steps and contacts to their copy. */
export interface RunbookTemplate {
  readonly id: string;
  readonly version: number;
  readonly trigger: string;
  readonly preconditions: readonly string[];
  readonly steps: readonly RunbookStep[];
  readonly verification: readonly string[];
  readonly after: readonly string[];
  readonly budgetS: number;
  readonly targetS: number;
  readonly dataLossRisk: 'none' | 'low' | 'medium';
}

/** How a way back treats what was written meanwhile. */
export interface DataLossNote {
  readonly path: 'off' | 'parked' | 'compensate' | 'selective' | 'physical' | 'database';
  readonly risk: 'none' | 'low' | 'medium';
  readonly note: string;
}

/** A point to which rows can be taken back. */
export interface RecoveryMarker {
  /** `pg_current_snapshot()`; null in a cluster that was rebuilt since, where transaction ids mean nothing. */
  readonly snapshot: string | null;
  readonly at: Date;
  /** What `mark` of the domain said at that point. */
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface RecoveryInput {
  readonly marker: Omit<RecoveryMarker, 'facts'>;
  readonly mode: 'compensate' | 'selective';
  /** Qualified; all of the domain when left out. */
  readonly tables?: readonly string[];
  /** Account ids whose changes stay. */
  readonly excludeActors?: readonly string[];
  /** Only with `selective`; by account id, and by the domain's own keys. */
  readonly only?: {
    readonly actors?: readonly string[];
    readonly keys?: Readonly<Record<string, readonly string[]>>;
  };
}

/** What would be done, and nothing of it yet. */
export interface RecoveryPlan {
  /** Of everything below and of the newest entry of the audit log that was seen: another change makes the plan void. */
  readonly hash: string;
  readonly tables: readonly {
    readonly table: string;
    readonly inserted: number;
    readonly updated: number;
    readonly deleted: number;
    /** Rows that get their former content back, and rows that go. */
    readonly upserts: number;
    readonly deletes: number;
    readonly actors: readonly string[];
    readonly sample: readonly Readonly<Record<string, unknown>>[];
    /** Records that were also changed by somebody whose changes stay. */
    readonly conflicts: readonly Readonly<Record<string, unknown>>[];
  }[];
  /** What is append-only and so is taken back by its opposite. */
  readonly counterposted: Readonly<Record<string, number>>;
  /** Why it cannot be done; a plan with reasons is refused. */
  readonly refusals: readonly Readonly<Record<string, unknown>>[];
  readonly estimatedSeconds: number;
}

export interface RecoveryOutcome {
  readonly upserts: number;
  readonly deletes: number;
  readonly counterposted: Readonly<Record<string, number>>;
  /** Records that something which never goes rests on: they were put out of use instead, or left as they are. */
  readonly kept: readonly {
    readonly table: string;
    readonly record: Readonly<Record<string, unknown>>;
    readonly how: 'put out of use' | 'left';
    readonly because: string;
  }[];
}

export interface RecoveryFinding {
  readonly name: string;
  readonly severity: RecoverySeverity;
  readonly outcome: 'passed' | 'failed' | 'inconclusive';
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** What the hooks work with. The executor has written its step marker in this transaction, and commits it. */
export interface RecoveryContext {
  readonly tx: EntityManager;
  readonly runId: string;
  /** The account in whose name it is done. */
  readonly actor: string;
  readonly signal: AbortSignal;
}

/** The plan no longer fits, or cannot be carried out; nothing was changed. */
export class RecoveryRefused extends Error {
  override readonly name = 'RecoveryRefused';

  constructor(
    message: string,
    readonly reasons: readonly Readonly<Record<string, unknown>>[] = [],
  ) {
    super(message);
  }
}

export interface RecoveryHooks {
  /** Parents first: rows are put back in this order and taken away in the opposite one. */
  readonly tables: readonly string[];
  /** Said when a marker is made, and compared by `verify`. */
  readonly mark: (context: RecoveryContext) => Promise<Readonly<Record<string, unknown>>>;
  readonly plan: (context: RecoveryContext, input: RecoveryInput) => Promise<RecoveryPlan>;
  /** Carries the plan out, if it is still the same; throws `RecoveryRefused` otherwise. */
  readonly compensate: (context: RecoveryContext, input: RecoveryInput, planHash: string) => Promise<RecoveryOutcome>;
  /** After any way back: what can be derived is derived again. */
  readonly afterRestore: (
    context: RecoveryContext,
    marker: Pick<RecoveryMarker, 'at'>,
  ) => Promise<Readonly<Record<string, number>>>;
  /** By other ways than the ones that wrote. Anything that did not pass keeps writes stopped. */
  readonly verify: (
    context: RecoveryContext,
    marker: RecoveryMarker,
    outcome?: RecoveryOutcome,
  ) => Promise<RecoveryFinding[]>;
  /** How the tables that only maintenance may rewrite are put back from a backup, in one transaction. */
  readonly physical: {
    readonly role: string;
    /** Emptied row by row before that, so that the log of their changes knows it. */
    readonly clears: readonly string[];
    /** Emptied together, because they refer to each other. */
    readonly truncates: readonly string[];
    /** Filled in this order; the triggers of the first derive what is not listed. */
    readonly fills: readonly { readonly table: string; readonly order: string }[];
    readonly derived: readonly string[];
    /** Statements to be run when all is filled, in their order. */
    readonly rebind: readonly string[];
  };
}

/** What the rollback system must know to switch a domain off, take it down and bring its rows back. */
export interface DomainRecovery {
  readonly probes: {
    readonly off: readonly Probe[];
    readonly fallback: readonly Probe[];
    readonly on: readonly Probe[];
  };
  readonly invariants: readonly Invariant[];
  readonly guards: readonly Guard[];
  /** What every way off leaves in place. */
  readonly keeps: readonly string[];
  readonly runbooks: readonly RunbookTemplate[];
  readonly hooks: RecoveryHooks;
  readonly dataLoss: readonly DataLossNote[];
}
