import { createHash, randomUUIDv7 } from 'node:crypto';
import { Outbox, type Caller } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { Commands, type Command } from '../production.command.js';
import type { GraphPublished } from '../production.events.js';
import { GraphInvalid, GraphNotFound } from '../production.problems.js';
import { designOf } from './graph.contract.js';
import { GraphArchived } from './graph.problems.js';
import type { GraphRow } from './graph.queries.js';
import type { Design, DesignedNode } from './graph.rules.js';
import { GraphService } from './graph.service.js';
import { LimitService } from './limit.service.js';
import { isOperable } from './node-type.rules.js';
import type { VersionItem } from './version.contract.js';
import { addEdges, addNodes, addVersion, upsertDesignedLimits, versionById, versionList } from './version.queries.js';
import { versionItemOf } from './version.service.js';

/** Makes versions of drafts. A version is inserted once and never changed; jobs go on with the one they are pinned to. */
@Injectable()
export class PublicationService {
  constructor(
    private readonly commands: Commands,
    private readonly graphs: GraphService,
    private readonly limits: LimitService,
    private readonly outbox: Outbox,
  ) {}

  /** Publishing the same draft twice is harmless: the second call changes nothing and announces nothing. */
  async publish(by: Caller, graphId: string): Promise<VersionItem> {
    return this.commands.run(by, { cause: 'publish' }, async (command) => {
      const graph = await this.graphs.locked(command.tx, graphId);
      if (graph.status === 'archived') throw new GraphArchived(graph.code);
      const design = designOf(graph.draft);
      const findings = await this.graphs.findings(command.tx, design);
      const inTheWay = findings.filter(({ severity }) => severity !== 'warning');
      if (inTheWay.length > 0) throw new GraphInvalid(inTheWay);

      const [latest] = await versionList(command.tx, [graphId, null, 1]);
      if (latest?.status === 'published' && latest.checksum === checksumOf(design)) return versionItemOf(latest);
      return this.insert(command, graph, design);
    });
  }

  private async insert(command: Command, graph: GraphRow, design: Design): Promise<VersionItem> {
    const { tx, at, by } = command;
    const id = randomUUIDv7();
    await addVersion(tx, [id, graph.id, JSON.stringify(design), checksumOf(design), at, by.accountId]);
    const nodes = design.nodes.map((node) => ({ ...node, id: randomUUIDv7() }));
    const ids = new Map(nodes.map((node) => [node.code, node.id]));
    const edges = design.edges.map((edge) => ({
      ...edge,
      id: randomUUIDv7(),
      fromId: ids.get(edge.from),
      toId: ids.get(edge.to),
    }));
    await addNodes(tx, [id, JSON.stringify(nodes)]);
    await addEdges(tx, [id, JSON.stringify(edges)]);
    await this.setLimits(command, graph.id, design.nodes.filter(isOperable));

    const [version] = await versionById(tx, [id]);
    if (!version) throw new GraphNotFound(id);
    const body = { graphId: graph.id, graphVersionId: id, code: graph.code, version: version.version };
    await this.outbox.add(tx, { name: 'production.graph-published', body } satisfies GraphPublished, 'production');
    return versionItemOf(version);
  }

  private async setLimits(command: Command, graphId: string, nodes: readonly DesignedNode[]): Promise<void> {
    const changed = await upsertDesignedLimits(command.tx, [graphId, JSON.stringify(nodes)]);
    for (const { nodeCode } of changed) await this.limits.wake(command, graphId, nodeCode);
  }
}

function checksumOf(design: Design): string {
  return createHash('sha256').update(JSON.stringify(design)).digest('hex');
}
