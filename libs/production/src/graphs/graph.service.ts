import { randomUUIDv7 } from 'node:crypto';
import {
  containing,
  Database,
  decodeCursor,
  listFrom,
  PreconditionFailed,
  violates,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { GraphInvalid, GraphNotFound } from '../production.problems.js';
import { checkGraph, type GraphFinding } from './graph-check.rules.js';
import {
  designOf,
  type DraftGraph,
  type GraphCheckView,
  type GraphFilter,
  type GraphItem,
  type GraphView,
} from './graph.contract.js';
import { CodeTaken, GraphArchived } from './graph.problems.js';
import {
  addGraph,
  archiveGraph,
  graphById,
  graphList,
  lockGraph,
  placesInUse,
  saveGraph,
  type GraphRow,
} from './graph.queries.js';
import type { Design } from './graph.rules.js';

const listKey = z.tuple([z.string(), z.uuid()]);

/** Graphs as they are drawn. Saving never publishes anything: what is published is a version. */
@Injectable()
export class GraphService {
  constructor(private readonly database: Database) {}

  async list(filter: GraphFilter): Promise<List<GraphItem>> {
    const after = decodeCursor(filter.cursor, listKey) ?? [null, null];
    const values = [containing(filter.search), filter.status ?? null, ...after, filter.limit + 1];
    const rows = await graphList(this.database.dataSource, values);
    return listFrom(rows, filter.limit, ({ code, id }) => [code, id], item);
  }

  get(id: string): Promise<GraphView> {
    return this.shown(this.database.dataSource, id);
  }

  async draft(by: Caller, draft: DraftGraph): Promise<GraphView> {
    const id = randomUUIDv7();
    return this.named(draft.code, () =>
      this.database.transaction(by, async (tx) => {
        await addGraph(tx, [id, ...(await this.storable(tx, draft))]);
        return this.shown(tx, id);
      }),
    );
  }

  async change(by: Caller, id: string, version: number, draft: DraftGraph): Promise<GraphView> {
    return this.named(draft.code, () =>
      this.database.transaction(by, async (tx) => {
        const graph = await this.locked(tx, id);
        if (graph.rowVersion !== version) throw new PreconditionFailed(graph.rowVersion);
        if (graph.status === 'archived') throw new GraphArchived(graph.code);
        await saveGraph(tx, [id, ...(await this.storable(tx, draft))]);
        return this.shown(tx, id);
      }),
    );
  }

  /** What publishing the draft would say. */
  async validate(id: string): Promise<GraphCheckView> {
    return { entries: (await this.get(id)).entries };
  }

  /** Archiving twice is harmless. Running jobs go on. */
  async archive(by: Caller, id: string): Promise<GraphView> {
    return this.database.transaction(by, async (tx) => {
      const { status } = await this.locked(tx, id);
      if (status === 'active') await archiveGraph(tx, [id]);
      return this.shown(tx, id);
    });
  }

  /** The graph under its lock. */
  async locked(tx: Executor, id: string): Promise<GraphRow> {
    await lockGraph(tx, [id]);
    return this.row(tx, id);
  }

  /** Everything that is wrong with the design now: teams and work centres come and go. */
  async findings(on: Executor, design: Design): Promise<GraphFinding[]> {
    const teams = design.nodes.flatMap(({ preferredTeamId, allowedTeamIds, forbiddenTeamIds }) => [
      ...(preferredTeamId === null ? [] : [preferredTeamId]),
      ...allowedTeamIds,
      ...forbiddenTeamIds,
    ]);
    const workCenters = design.nodes.flatMap(({ workCenterId }) => (workCenterId === null ? [] : [workCenterId]));
    const [inUse] = await placesInUse(on, [teams, workCenters]);
    return checkGraph(design, { teams: new Set(inUse?.teams), workCenters: new Set(inUse?.workCenters) });
  }

  /** The columns of a draft; what is no graph at all is refused. */
  private async storable(tx: Executor, draft: DraftGraph): Promise<string[]> {
    const { code, name, productionMode, edges } = draft;
    const nodes = draft.nodes.map((node) => ({ ...node, productionMode: node.productionMode ?? productionMode }));
    const broken = (await this.findings(tx, { nodes, edges })).filter(({ severity }) => severity === 'structure');
    if (broken.length > 0) throw new GraphInvalid(broken);
    return [code, name, productionMode, JSON.stringify({ nodes, edges })];
  }

  private async shown(on: Executor, id: string): Promise<GraphView> {
    const row = await this.row(on, id);
    const design = designOf(row.draft);
    return { ...item(row), design, entries: await this.findings(on, design) };
  }

  private async row(on: Executor, id: string): Promise<GraphRow> {
    const [row] = await graphById(on, [id]);
    if (!row) throw new GraphNotFound(id);
    return row;
  }

  private async named<Result>(code: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw violates(error, 'routing_graph_code_is_unique') ? new CodeTaken('graph', code) : error;
    }
  }
}

function item({
  id,
  code,
  name,
  productionMode,
  status,
  latestVersion,
  createdAt,
  rowVersion,
}: Omit<GraphRow, 'draft'>): GraphItem {
  return { id, code, name, productionMode, status, latestVersion, createdAt: createdAt.toISOString(), rowVersion };
}
