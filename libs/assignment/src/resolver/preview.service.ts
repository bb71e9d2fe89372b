import { Inject, Injectable } from '@nestjs/common';
import { Database, RUNTIME, type Caller, type Runtime } from '@belay/platform';
import { ProductionReader, type NodeToAssign } from '@belay/production';
import type { EntityManager } from 'typeorm';
import { READ_PLANS } from '../plans/plan-places.service.js';
import { Attendances } from '../state/attendances.service.js';
import { Eligibility } from './eligibility.service.js';
import type { DecisionView, PlansPreview, PreviewQuery } from './preview.contract.js';
import { JobNotFound, NodeNotFound, TokenNotFound } from './preview.problems.js';
import { ResolverMetrics } from './resolver-metrics.service.js';
import { resolve, type Resolution } from './resolver.rules.js';
import type { AskedToken } from './snapshot.rules.js';
import { Snapshots } from './snapshots.service.js';

/** Tokens of a job that are looked at; more of them would be spread the same way. */
const MOST_TOKENS = 1_000;
const unlimited = { limit: null, shadow: false };

/** Who would be chosen, without choosing anybody: nothing is locked, written or logged. */
@Injectable()
export class PreviewService {
  constructor(
    private readonly attendances: Attendances,
    private readonly database: Database,
    private readonly eligibility: Eligibility,
    private readonly metrics: ResolverMetrics,
    private readonly production: ProductionReader,
    @Inject(RUNTIME) private readonly runtime: Runtime,
    private readonly snapshots: Snapshots,
  ) {}

  /** For a token, at a node of its version. */
  preview(by: Caller, { tokenId, nodeId }: PreviewQuery): Promise<DecisionView> {
    return this.looking(async (tx, at) => {
      const token = await this.production.standing(tx, tokenId);
      if (!token || !by.may(READ_PLANS, token.siteId)) throw new TokenNotFound(tokenId);
      const version = await this.production.version(tx, token.graphVersionId);
      const known = version.nodes.find(({ id }) => id === nodeId);
      if (!known) throw new NodeNotFound({ nodeId });
      const node = { ...known, graphId: version.graphId, versionId: version.id };
      // A rejection is of one visit, at the node where the token is.
      const excluded = token.nodeId === nodeId ? token.rejectedBy : [];
      const operable = version.isOperable(nodeId);
      const limit = operable ? await this.production.limit(tx, { token, node }, at) : null;
      const snapshot = await this.snapshots.load(tx, { node, tokens: [token], at, enforced: this.enforced(node) });
      const asked = [{ ...token, excluded }];
      const [resolution] = resolve({ ...snapshot, operable }, asked, { limit, shadow: false }).resolutions;
      if (!resolution) throw new Error('One token has one decision');
      this.metrics.previewed();
      if (resolution.decision !== 'QUEUED' || limit === 'QUEUE_LIMIT') return view(resolution);
      const { queueReason } = resolution;
      const people = this.eligibility.within(() => snapshot);
      return view(resolution, await this.production.queued(tx, { token, node, queueReason }, at, people));
    });
  }

  /** For a job, at every node where people work: how its tokens would be spread if they all came there now. */
  plans(by: Caller, jobTicketId: string): Promise<PlansPreview> {
    return this.looking(async (tx, at) => {
      const job = await this.production.job(tx, jobTicketId);
      if (!job || !by.may(READ_PLANS, job.siteId)) throw new JobNotFound(jobTicketId);
      const version = await this.production.version(tx, job.graphVersionId);
      const tokens = tokensOf(jobTicketId, job);
      const nodes = [];
      for (const known of version.nodes.filter(({ id }) => version.isOperable(id))) {
        const node = { ...known, graphId: version.graphId, versionId: version.id };
        const snapshot = await this.snapshots.load(tx, {
          node,
          tokens: tokens.slice(0, 1),
          at,
          enforced: this.enforced(node),
        });
        const { resolutions } = resolve(snapshot, tokens, unlimited);
        nodes.push({ nodeId: node.id, nodeCode: node.code, name: node.name, shares: sharesOf(resolutions) });
      }
      this.metrics.previewed();
      return { jobTicketId, at: at.toISOString(), nodes };
    });
  }

  /** One moment of the database, in which nothing can be changed. */
  looking<Answer>(work: (tx: EntityManager, at: Date) => Promise<Answer>): Promise<Answer> {
    return this.database.dataSource.transaction(async (tx) => {
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      return work(tx, await this.attendances.time(tx));
    });
  }

  enforced({ graphId }: Pick<NodeToAssign, 'graphId'>): boolean {
    return this.runtime.gate.featureMode('enforce_availability', { graphId }) !== 'off';
  }
}

/** What a job will have; none of them is there, so nobody has pinned one. */
function tokensOf(
  jobTicketId: string,
  { siteId, processMode, targetQty }: { siteId: string; processMode: 'piece' | 'batch'; targetQty: number },
): AskedToken[] {
  const pieces = processMode === 'piece';
  const token = { id: jobTicketId, jobTicketId, siteId, qty: pieces ? 1 : targetQty, excluded: [] };
  return Array.from({ length: pieces ? Math.min(targetQty, MOST_TOKENS) : 1 }, () => token);
}

function sharesOf(resolutions: readonly Resolution[]): PlansPreview['nodes'][number]['shares'] {
  const shares = new Map<string, PlansPreview['nodes'][number]['shares'][number]>();
  for (const resolution of resolutions) {
    const { decision, tier, assignedToType, assignedToId, operatorId, reasonCode, queueReason } = view(resolution);
    const key = [decision, assignedToId, operatorId, queueReason].join(' ');
    const tokens = (shares.get(key)?.tokens ?? 0) + 1;
    shares.set(key, { decision, tier, assignedToType, assignedToId, operatorId, reasonCode, queueReason, tokens });
  }
  return [...shares.values()].toSorted((one, other) => other.tokens - one.tokens);
}

function view(
  resolution: Resolution,
  queue?: { readonly position: number; readonly minutes: number | null },
): DecisionView {
  const { decision, method, tier, reasonCode, reasonText, alternatives, warnings } = resolution;
  const { at, enforced, load, steps, candidates, dropped } = resolution.trace;
  const assignee = resolution.decision === 'ASSIGNED' ? resolution.assignee : null;
  return {
    decision,
    method,
    tier,
    assignedToType: assignee?.type ?? null,
    assignedToId: (assignee?.type === 'team' ? assignee.teamId : assignee?.operatorId) ?? null,
    operatorId: assignee?.operatorId ?? null,
    planRef: resolution.decision === 'ASSIGNED' ? resolution.planRef : null,
    reasonCode,
    reasonText,
    queued: decision === 'QUEUED',
    queueReason: resolution.decision === 'QUEUED' ? resolution.queueReason : null,
    queuePosition: queue?.position ?? null,
    estimatedWaitMinutes: queue?.minutes ?? null,
    alternatives: [...alternatives],
    warnings: [...warnings],
    trace: { at, enforced, load, steps: [...steps], candidates: [...candidates], dropped: [...dropped] },
  };
}
