import { Injectable } from '@nestjs/common';
import type { Executor } from '@belay/platform';
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
import type { PublishedNode, PublishedVersion } from './graphs/published-version.rules.js';
import { Versions } from './graphs/version.reader.js';
import {
  newestVersion,
  slotsOf,
  standingToken,
  undecidedTokens,
  type StandingToken,
} from './work/node-queue.queries.js';
import {
  cycleMinutes,
  jobsOfOem,
  operatorWork,
  unclaimedWork,
  type OperatorWork,
} from './work/operator-work.queries.js';
import { waitFactsOf } from './work/wait-estimate.queries.js';
import { waitsOf } from './work/wait-estimate.rules.js';

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

/** How fast a node's work goes. */
export interface Pace {
  /** How many may work at once; null without a limit. */
  readonly concurrency: number | null;
  readonly started: number;
  /** Minutes that one token takes; null when nobody knows. */
  readonly service: number | null;
  /** Minutes that each running session has taken so far. */
  readonly elapsed: readonly number[];
}

/** What other domains may ask; in a transaction they see what it has written. One query each, unless more is said. */
@Injectable()
export class ProductionReader {
  constructor(private readonly versions: Versions) {}

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

  /** The first of those that are at the node, that nobody has begun and nobody was given by hand. */
  undecided(
    on: Executor,
    {
      graphId,
      nodeCode,
      sites,
      most,
    }: { graphId: string; nodeCode: string; sites: readonly string[] | null; most: number },
  ): Promise<StandingToken[]> {
    return undecidedTokens(on, [graphId, nodeCode, most, sites]);
  }

  /** Two queries. What is designed counts where nothing was measured, for one unit. */
  async pace(on: Executor, node: PublishedNode & { readonly graphId: string }, at: Date): Promise<Pace> {
    const { id, workCenterId, graphId, code, estimatedMinutes } = node;
    const scope = workCenterId === null ? [[null], [graphId], [code]] : [[workCenterId], [null], [null]];
    const [slots] = await slotsOf(on, [id]);
    const [facts] = await waitFactsOf(on, [[id], ...scope, [null], at]);
    return {
      concurrency: slots?.concurrency ?? null,
      started: slots?.started ?? 0,
      service: facts?.minutes ?? estimatedMinutes,
      elapsed: facts?.elapsed ?? [],
    };
  }

  /** Minutes until each of so many who wait has its turn; undefined when nobody knows how long a token takes. */
  waits(
    { service, elapsed }: Pick<Pace, 'service' | 'elapsed'>,
    servers: number,
    positions: number,
  ): number[] | undefined {
    return waitsOf({ service, elapsed, servers }, positions);
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
