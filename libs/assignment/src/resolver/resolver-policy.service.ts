import { Inject, Injectable } from '@nestjs/common';
import { RUNTIME, type Runtime } from '@belay/platform';
import {
  AssignmentPolicy,
  type AssignmentFacts,
  type Decision,
  type NodeToAssign,
  type PolicyFlags,
  type Question,
  type TokenToAssign,
  type Verdict,
  type WorkQuestion,
} from '@belay/production';
import type { EntityManager } from 'typeorm';
import { Eligibility } from './eligibility.service.js';
import { LogEntries } from './log-entries.service.js';
import { ResolverMetrics } from './resolver-metrics.service.js';
import { resolve } from './resolver.rules.js';
import { lockBalance, saveTurns } from './snapshot.queries.js';
import { nodeKey, Snapshots } from './snapshots.service.js';

/** Chooses people by rule, for the graphs where the runtime is on. */
@Injectable()
export class ResolverPolicy extends AssignmentPolicy {
  constructor(
    private readonly eligibility: Eligibility,
    private readonly log: LogEntries,
    private readonly metrics: ResolverMetrics,
    @Inject(RUNTIME) private readonly runtime: Runtime,
    private readonly snapshots: Snapshots,
  ) {
    super();
  }

  override flags(graphId: string): PolicyFlags | null {
    const { gate } = this.runtime;
    if (gate.domainMode('assignment', { graphId }) !== 'on') return null;
    return {
      enforced: gate.featureMode('enforce_availability', { graphId }) !== 'off',
      shadow: gate.featureMode('assignment_auto_choice', { graphId }) === 'off',
    };
  }

  override async decide(tx: EntityManager, question: Question): Promise<readonly Decision[]> {
    const { node, tokens, exclude, flags, limit, at } = question;
    const began = performance.now();
    try {
      await lockBalance(tx, [nodeKey(node)]);
      const snapshot = await this.snapshots.load(tx, { node, tokens, at, enforced: flags['enforced'] === true });
      const asked = tokens.map((token) => ({ ...token, excluded: exclude.get(token.id) ?? [] }));
      const { resolutions, turns } = resolve(snapshot, asked, { limit, shadow: flags['shadow'] === true });
      if (turns.size > 0) await saveTurns(tx, [[...turns.keys()], nodeKey(node), [...turns.values()]]);
      const each = (performance.now() - began) / Math.max(1, tokens.length);
      this.metrics.decided(resolutions, each);
      this.log.took(resolutions, each);
      return resolutions;
    } catch (error) {
      this.metrics.failed(tokens.length);
      throw error;
    }
  }

  override mayWork(tx: EntityManager, question: WorkQuestion): Promise<Verdict> {
    return this.eligibility.mayWork(tx, question);
  }

  override async headcount(tx: EntityManager, node: NodeToAssign, siteId: string, at: Date): Promise<number> {
    return (await this.eligibility.people(tx, node, siteId, at, this.enforced(node))).size;
  }

  override nextStart(
    tx: EntityManager,
    tokens: readonly TokenToAssign[],
    node: NodeToAssign,
    from: Date,
  ): Promise<ReadonlyMap<string, Date>> {
    return this.eligibility.nextStart(tx, tokens, node, from, this.enforced(node));
  }

  override async record(tx: EntityManager, facts: AssignmentFacts): Promise<void> {
    await this.log.write(tx, facts);
    for (const { event, method } of facts.facts) {
      if (event === 'override') this.metrics.overridden(method.toLowerCase());
    }
  }

  private enforced({ graphId }: NodeToAssign): boolean {
    return this.flags(graphId)?.['enforced'] === true;
  }
}
