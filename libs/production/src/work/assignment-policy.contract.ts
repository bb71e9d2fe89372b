import type { EntityManager } from 'typeorm';
import type { PublishedNode } from '../graphs/published-version.rules.js';
import type { QueueReason } from '../lifecycle/token.rules.js';

export const assignmentMethods = ['PIN', 'PLAN', 'AUTO', 'MANUAL', 'REASSIGN'] as const;
export type AssignmentMethod = (typeof assignmentMethods)[number];

/** Reasons that a policy gives, as opposed to limits, joins and waits. They hold nobody back once no policy is in force. */
export type PeopleReason = Extract<QueueReason, 'TEAM_UNAVAILABLE' | 'OPERATOR_UNAVAILABLE' | 'NO_MATCH'>;

/** Why a decision is asked for. */
export type DecisionCause =
  'spawn' | 'route' | 'wake' | 'reject' | 'handoff' | 'cancel' | 'unavailable' | 'plan-changed';

/** A token at the node in question; its row is locked. */
export interface TokenToAssign {
  readonly id: string;
  readonly instanceId: string;
  readonly jobTicketId: string;
  readonly siteId: string;
  readonly qty: number;
  readonly priority: number;
}

/** The node, as its version was published. */
export interface NodeToAssign extends PublishedNode {
  readonly graphId: string;
  readonly versionId: string;
}

/** Whom the work is for: an operator, a team, or an operator as one of a team. */
export type Assignee =
  | { readonly type: 'operator'; readonly operatorId: string; readonly teamId: string | null }
  | { readonly type: 'team'; readonly operatorId: string | null; readonly teamId: string };

/** What the policy's own flags said when the command began; opaque to production, which only hands it back. */
export type PolicyFlags = Readonly<Record<string, boolean>>;

export interface Question {
  readonly tokens: readonly TokenToAssign[];
  readonly node: NodeToAssign;
  readonly cause: DecisionCause;
  /** The limit that is full; then the answer is for information, and the tokens are decided anew at their admission. */
  readonly limit: 'CONCURRENCY_LIMIT' | 'WIP_LIMIT' | null;
  /** Operators who must not be chosen for a token: they rejected it on this visit, or have just lost it. */
  readonly exclude: ReadonlyMap<string, readonly string[]>;
  readonly flags: PolicyFlags;
  readonly at: Date;
}

export interface Alternative {
  readonly operatorId: string;
  readonly reason: string;
  readonly activeCount: number;
  readonly avgCycleMinutes: number | null;
}

interface DecisionFacts {
  readonly tokenId: string;
  readonly tier: string | null;
  readonly reasonCode: string | null;
  readonly reasonText: string | null;
  readonly alternatives: readonly Alternative[];
  readonly warnings: readonly string[];
  /** For the policy's own log; handed back by `record` as it is. */
  readonly trace: unknown;
}

/** What becomes of a token. UNASSIGNED leaves it ready for whoever may claim it. */
export type Decision = DecisionFacts &
  (
    | {
        readonly decision: 'ASSIGNED';
        readonly method: AssignmentMethod;
        readonly assignee: Assignee;
        readonly planRef: string | null;
      }
    | { readonly decision: 'QUEUED'; readonly method: AssignmentMethod; readonly queueReason: QueueReason }
    | { readonly decision: 'UNASSIGNED'; readonly method: AssignmentMethod }
    | { readonly decision: 'SKIPPED'; readonly method: 'SKIP' }
  );

export interface WorkQuestion {
  readonly tokens: readonly TokenToAssign[];
  readonly node: NodeToAssign;
  readonly target: Assignee;
  /** `assign` is a manager's choice, `claim` and `start` the operator's own. */
  readonly act: 'assign' | 'claim' | 'start';
  readonly at: Date;
  /** The person who asks has seen that the target is away, and may overrule it. */
  readonly confirmed: boolean;
  readonly actorId: string | null;
  readonly flags: PolicyFlags;
}

export type Verdict =
  | { readonly allowed: true; readonly warnings: readonly string[] }
  | {
      readonly allowed: false;
      readonly because: 'operator-unavailable';
      readonly reason: string;
      readonly until: Date | null;
      readonly confirmable: boolean;
    }
  | { readonly allowed: false; readonly because: 'skill-missing'; readonly skill: string };

/** Something that has happened to the assignment of a token; told after the rows are written, in their transaction. */
export interface AssignmentFact {
  readonly event:
    | 'assigned'
    | 'queued'
    | 'woken'
    | 'unassigned'
    | 'override'
    | 'accepted'
    | 'rejected'
    | 'cancelled'
    | 'resolver_error';
  readonly tokenId: string;
  readonly nodeId: string;
  readonly jobTicketId: string;
  readonly method: AssignmentMethod | 'HELP' | 'SKIP';
  /** Whom it is for now, or whose it was when it was rejected or cancelled. */
  readonly assignee: Assignee | null;
  /** The decision that led to it; null for what a person did. */
  readonly decision: Decision | null;
  readonly reasonCode: string | null;
  readonly reasonText: string | null;
  readonly queueReason: QueueReason | null;
  readonly queuePosition: number | null;
  readonly estimatedWaitMinutes: number | null;
}

/** All of one graph. */
export interface AssignmentFacts {
  readonly facts: readonly AssignmentFact[];
  readonly graphId: string;
  readonly cause: string;
  readonly actorId: string | null;
  readonly flags: PolicyFlags;
  readonly at: Date;
}

/**
 * Who gets the work. Everything happens inside the caller's transaction; a policy writes nothing in the schema
 * `production`. Whatever `decide` throws leaves its tokens unassigned and stops nothing else.
 */
export abstract class AssignmentPolicy {
  /** Its flags for the graph, asked once in a command; null where it is off: there the core's default answers. */
  abstract flags(graphId: string): PolicyFlags | null;

  /** One decision per token, in their order. */
  abstract decide(tx: EntityManager, question: Question): Promise<readonly Decision[]>;

  /** Whether the target may work on the tokens: leave, availability and skills; not limits, and not whose work it is. */
  abstract mayWork(tx: EntityManager, question: WorkQuestion): Promise<Verdict>;

  /** People who could do the node's work at the site, for the estimate of the wait. */
  abstract headcount(tx: EntityManager, node: NodeToAssign, siteId: string, at: Date): Promise<number>;

  /** When somebody whom each token waits for is available next; those are left out of whom nobody knows. */
  abstract nextStart(
    tx: EntityManager,
    tokens: readonly TokenToAssign[],
    node: NodeToAssign,
    from: Date,
  ): Promise<ReadonlyMap<string, Date>>;

  abstract record(tx: EntityManager, facts: AssignmentFacts): Promise<void>;
}

/** Where a module that knows better than the core's default says so; its own flags still decide graph by graph. */
export abstract class PolicyRegister {
  /** Puts the policy in force until the answered function is called. */
  abstract use(policy: AssignmentPolicy): () => void;
}
