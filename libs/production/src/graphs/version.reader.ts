import type { Executor } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { GraphNotFound } from '../production.problems.js';
import { condition } from './graph.contract.js';
import { PublishedVersion, type PublishedEdge } from './published-version.rules.js';
import { edgesOfVersion, nodesOfVersion, versionById, type EdgeRow } from './version.queries.js';

const KEPT = 200;

/** Published versions, each read once: they never change. Those that were not asked for the longest time are let go. */
@Injectable()
export class Versions {
  readonly #kept = new Map<string, PublishedVersion>();

  /** Read where the caller reads; one that nobody knows is 404 `graph-not-found`. */
  async get(on: Executor, versionId: string): Promise<PublishedVersion> {
    const version = this.#kept.get(versionId) ?? (await read(on, versionId));
    this.#kept.delete(versionId);
    this.#kept.set(versionId, version);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return version;
  }
}

async function read(on: Executor, versionId: string): Promise<PublishedVersion> {
  const [version] = await versionById(on, [versionId]);
  if (!version) throw new GraphNotFound(versionId);
  const nodes = await nodesOfVersion(on, [versionId]);
  const edges = (await edgesOfVersion(on, [versionId])).map(edgeOf);
  return new PublishedVersion(version.id, version.graphId, version.graphCode, version.version, nodes, edges);
}

function edgeOf(row: EdgeRow): PublishedEdge {
  if (row.condition === null) return { ...row, condition: null };
  const { data } = condition.safeParse(row.condition);
  return { ...row, condition: data ?? 'invalid' };
}
