import { Database, PreconditionFailed, type Caller } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { Commands, type Command } from '../production.command.js';
import { NodeNotFound } from '../production.problems.js';
import { Wake } from '../work/wake.service.js';
import { GraphService } from './graph.service.js';
import type { LimitView, NodeLimits, SetLimits } from './limit.contract.js';
import { jobsWithOwnLimit, limitsOfGraph, lockLimit, setLimit } from './limit.queries.js';

/** How much may be at a node of a graph. What somebody sets here holds for every version, at once and from then on. */
@Injectable()
export class LimitService {
  constructor(
    private readonly commands: Commands,
    private readonly database: Database,
    private readonly graphs: GraphService,
    private readonly waiting: Wake,
  ) {}

  async of(graphId: string): Promise<NodeLimits> {
    await this.graphs.get(graphId);
    return { items: await limitsOfGraph(this.database.dataSource, [graphId]) };
  }

  async set(
    by: Caller,
    node: { graphId: string; code: string },
    version: number,
    given: SetLimits,
  ): Promise<LimitView> {
    return this.commands.run(by, { cause: 'limit' }, async (command) => {
      const { graphId, code } = node;
      const [before] = await lockLimit(command.tx, [graphId, code]);
      if (!before) throw new NodeNotFound(code);
      if (before.rowVersion !== version) throw new PreconditionFailed(before.rowVersion);
      const { wipLimit, concurrencyLimit, queueLimit } = given;
      const [after = before] = await setLimit(command.tx, [graphId, code, wipLimit, concurrencyLimit, queueLimit]);
      await this.wake(command, graphId, code);
      return after;
    });
  }

  /** Whoever waits at the node is looked at again. */
  async wake(command: Command, graphId: string, nodeCode: string): Promise<void> {
    const alone = await jobsWithOwnLimit(command.tx, [graphId, nodeCode]);
    const instances = [null, ...alone.map(({ instanceId }) => instanceId)];
    const scopes = instances.map((instanceId) => ({ kind: 'node' as const, graphId, nodeCode, instanceId }));
    await this.waiting.ringAll(command, scopes);
  }
}
