import { Injectable } from '@nestjs/common';
import type { Executor } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { isOperable } from './graphs/node-type.rules.js';
import {
  openSessions,
  placeOfJob,
  placeOfToken,
  plannedNode,
  type JobPlace,
  type OpenSession,
  type PlannedNodeRow,
} from './graphs/planned-node.queries.js';
import type { PublishedVersion } from './graphs/published-version.rules.js';
import { Versions } from './graphs/version.reader.js';
import type { QueueReason } from './lifecycle/token.rules.js';
import { limitAfter, type LimitReason } from './work/limit.rules.js';
import {
  newestVersion,
  standingToken,
  undecidedTokens,
  type StandingToken,
  type UndecidedToken,
} from './work/node-queue.queries.js';
import {
  cycleMinutes,
  jobsOfOem,
  operatorWork,
  unclaimedWork,
  type OperatorWork,
} from './work/operator-work.queries.js';
import { QueueOutlook, type Room, type Visitor } from './work/queue-outlook.service.js';
import { WaitEstimates, type KnowsPeople, type Waiting } from './work/wait-estimate.service.js';

/** A node that work is planned at. */
export type PlannedNode = Omit<PlannedNodeRow, 'formSchema' | 'waitRule'> & {
  /** Whether people work there at all. */
  readonly operable: boolean;
};

/** Of a job, or of a graph. */
export interface NodeQuestion {
  readonly graphId?: string | undefined;
  readonly jobTicketId?: string | undefined;
  readonly code: string;
}

export interface WorkQuestion {
  /** Operators with when the day began for each. */
  readonly operators: readonly { readonly operatorId: string; readonly since: Date | string }[];
  readonly at: Date;
  /** Whether minutes, pieces and serials are of interest. */
  readonly details: boolean;
}

/** What other domains may ask; in a transaction they see what it has written. One query each, unless more is said. */
@Injectable()
export class ProductionReader {
  constructor(
    private readonly estimates: WaitEstimates,
    private readonly outlook: QueueOutlook,
    private readonly versions: Versions,
  ) {}

  /** A version, which is read once and then known; one that nobody knows is 404 `graph-not-found`. */
  version(on: Executor, versionId: string): Promise<PublishedVersion> {
    return this.versions.get(on, versionId);
  }

  /** The newest version of the graph that is published; undefined when there is none. */
  async newestVersion(on: Executor, graphId: string): Promise<PublishedVersion | undefined> {
    const [newest] = await newestVersion(on, [graphId]);
    return newest && this.versions.get(on, newest.id);
  }

  /** A token that lives, where it stands. */
  async standing(on: Executor, tokenId: string): Promise<StandingToken | undefined> {
    return (await standingToken(on, [tokenId]))[0];
  }

  /**
   * Those at nodes of the graph that nobody has begun and nobody was given by hand: of each node the first, at most so many
   * in all. Those that were let in come first, then the others in the order of the queue.
   */
  undecided(
    on: Executor,
    { graphId, sites, most }: { graphId: string; sites: readonly string[] | null; most: number },
  ): Promise<UndecidedToken[]> {
    return undecidedTokens(on, [graphId, most, sites]);
  }

  /** The limit that would keep a token out of a node; none for who was let in there. One query, or two. */
  limit(on: Executor, visitor: Visitor, at: Date): Promise<LimitReason | 'QUEUE_LIMIT' | null> {
    return this.outlook.limit(on, visitor, at);
  }

  /** Where a token would stand in the queue of the node, and for how many minutes; null when nobody can say. Two queries. */
  queued(
    tx: EntityManager,
    visitor: Visitor & { readonly queueReason: QueueReason },
    at: Date,
    people: KnowsPeople,
  ): Promise<{ readonly position: number; readonly minutes: number | null }> {
    return this.outlook.queued(tx, visitor, at, people);
  }

  /** What there is where each token is counted, besides all of them: the same room for those that are counted together. */
  rooms(on: Executor, visitors: readonly Visitor[]): Promise<Room[]> {
    return this.outlook.rooms(on, visitors);
  }

  /** The limit of the room that is full once so many more were let in, each of whom begins at once. */
  limitAfter({ limits, occupancy }: Room, more: number): LimitReason | null {
    return limitAfter(limits, occupancy, more);
  }

  /** Minutes that each of those who wait is likely to, as far as somebody can say; one query, and what `people` ask. */
  waits(
    tx: EntityManager,
    waiting: readonly Waiting[],
    at: Date,
    people: KnowsPeople,
  ): Promise<Map<string, number | null>> {
    return this.estimates.of(tx, waiting, at, people);
  }

  /** What each of them has to do, in their order. */
  work(on: Executor, { operators, at, details }: WorkQuestion): Promise<OperatorWork[]> {
    const ids = operators.map(({ operatorId }) => operatorId);
    const since = operators.map((operator) => operator.since);
    return operatorWork(on, [ids, since, at, details]);
  }

  /**
   * Mean minutes that each operator works at the node of the graph, whatever the version: over the thirty days before the
   * instant, for who was there five times. It reads all those visits.
   */
  async cycleMinutes(on: Executor, graphId: string, nodeCode: string, at: Date): Promise<Map<string, number>> {
    const rows = await cycleMinutes(on, [graphId, nodeCode, at]);
    return new Map(rows.map(({ operatorId, minutes }) => [operatorId, minutes]));
  }

  /** Work that was given to each team and that nobody has claimed; teams without any are absent. */
  async unclaimed(on: Executor, teamIds: readonly string[]): Promise<Map<string, number>> {
    const rows = await unclaimedWork(on, [teamIds]);
    return new Map(rows.map(({ teamId, unclaimed }) => [teamId, unclaimed]));
  }

  /** Those of the jobs that are made on an OEM line. */
  async jobsOfOem(on: Executor, jobTicketIds: readonly string[]): Promise<Set<string>> {
    const rows = await jobsOfOem(on, [jobTicketIds]);
    return new Set(rows.map(({ id }) => id));
  }

  /** The node of the job's version, or of the graph's newest that is published; undefined when it has no such node. */
  async node(on: Executor, { graphId, jobTicketId, code }: NodeQuestion): Promise<PlannedNode | undefined> {
    const [row] = await plannedNode(on, [graphId ?? null, jobTicketId ?? null, code]);
    if (!row) return undefined;
    const { formSchema, waitRule, ...node } = row;
    return { ...node, operable: isOperable({ type: node.type, formSchema, waitRule }) };
  }

  /** Where the job is made, by which graph and in what. */
  async job(on: Executor, jobTicketId: string): Promise<JobPlace | undefined> {
    return (await placeOfJob(on, [jobTicketId]))[0];
  }

  async token(on: Executor, tokenId: string): Promise<{ siteId: string; jobTicketId: string } | undefined> {
    return (await placeOfToken(on, [tokenId]))[0];
  }

  /** What the operators work on or have put aside, the one they work on first; who has nothing is absent. */
  async openSessions(on: Executor, operatorIds: readonly string[]): Promise<Map<string, OpenSession[]>> {
    const sessions = new Map<string, OpenSession[]>();
    for (const row of await openSessions(on, [operatorIds])) {
      sessions.set(row.operatorId, [...(sessions.get(row.operatorId) ?? []), row]);
    }
    return sessions;
  }
}
