import { Database, decodeCursor, listFrom, type Caller, type List } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { GraphNotFound } from '../production.problems.js';
import { GraphArchived } from './graph.problems.js';
import { GraphService } from './graph.service.js';
import { isOperable } from './node-type.rules.js';
import type { PublishedVersion } from './published-version.rules.js';
import type { ChangeVersion, VersionFilter, VersionItem, VersionView } from './version.contract.js';
import { changeVersionRow, versionById, versionList, type VersionRow } from './version.queries.js';
import { Versions } from './version.reader.js';

const listKey = z.tuple([z.int()]);

/** What was published of graphs. Whether new jobs may follow a version is all that changes of it. */
@Injectable()
export class VersionService {
  constructor(
    private readonly database: Database,
    private readonly graphs: GraphService,
    private readonly versions: Versions,
  ) {}

  async list(graphId: string, filter: VersionFilter): Promise<List<VersionItem>> {
    await this.graphs.get(graphId);
    const [before] = decodeCursor(filter.cursor, listKey) ?? [null];
    const rows = await versionList(this.database.dataSource, [graphId, before, filter.limit + 1]);
    return listFrom(rows, filter.limit, ({ version }) => [version], versionItemOf);
  }

  async get(id: string): Promise<VersionView> {
    const on = this.database.dataSource;
    const [row] = await versionById(on, [id]);
    if (!row) throw new GraphNotFound(id);
    return { ...versionItemOf(row), ...drawn(await this.versions.get(on, id)) };
  }

  /** A version of an archived graph stays closed. */
  async change(by: Caller, id: string, { status, allowNewJobs }: ChangeVersion): Promise<VersionItem> {
    return this.database.transaction(by, async (tx) => {
      const [before] = await versionById(tx, [id]);
      if (!before) throw new GraphNotFound(id);
      const graph = await this.graphs.locked(tx, before.graphId);
      if (graph.status === 'archived' && (status === 'published' || allowNewJobs === true))
        throw new GraphArchived(graph.code);
      await changeVersionRow(tx, [id, status ?? null, allowNewJobs ?? null]);
      const [after = before] = await versionById(tx, [id]);
      return versionItemOf(after);
    });
  }
}

/** The row as it is shown. */
export function versionItemOf({ publishedAt, ...rest }: VersionRow): VersionItem {
  return { ...rest, publishedAt: publishedAt.toISOString() };
}

function drawn(version: PublishedVersion): Pick<VersionView, 'nodes' | 'edges'> {
  const nodes = version.nodes.map((node) => ({ ...node, operable: isOperable(node) }));
  const edges = version.nodes.flatMap(({ id, code }) =>
    version.out(id).map((edge) => ({
      ...edge,
      from: code,
      to: version.node(edge.toId).code,
      condition: edge.condition === 'invalid' ? null : edge.condition,
    })),
  );
  return { nodes, edges };
}
