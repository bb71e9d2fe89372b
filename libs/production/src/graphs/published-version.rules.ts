import type { Condition } from './condition.rules.js';
import { carriesOn, endsApart, inEdgeOrder, type DesignedEdge, type DesignedNode } from './graph.rules.js';
import { inOrder, passedAnyway, reached, stepsOf } from './graph-walk.rules.js';
import { isOperable } from './node-type.rules.js';

/** Limits are left out: they change without a new version, and are read where they are kept. */
export interface PublishedNode extends Omit<DesignedNode, 'wipLimit' | 'concurrencyLimit' | 'queueLimit'> {
  readonly id: string;
  readonly workCenterCode: string | null;
  readonly sequenceNo: number;
}

export interface PublishedEdge extends Omit<DesignedEdge, 'from' | 'to' | 'condition'> {
  readonly id: string;
  readonly fromId: string;
  readonly toId: string;
  /** `invalid`: what is stored is no condition; it never holds. */
  readonly condition: Condition | 'invalid' | null;
  readonly sequenceNo: number;
}

/** A version of a graph, which never changes: whatever was published is known for good. */
export class PublishedVersion {
  readonly #nodes: ReadonlyMap<string, PublishedNode>;
  readonly #codes: ReadonlyMap<string, PublishedNode>;
  readonly #out = new Map<string, PublishedEdge[]>();
  readonly #into = new Map<string, PublishedEdge[]>();
  readonly #steps: Map<string, string[]>;
  readonly #reached = new Map<string, ReadonlySet<string>>();
  readonly #joins = new Map<string, PublishedNode | null>();
  readonly start: PublishedNode;

  constructor(
    readonly id: string,
    readonly graphId: string,
    readonly graphCode: string,
    readonly version: number,
    readonly nodes: readonly PublishedNode[],
    edges: readonly PublishedEdge[],
  ) {
    this.#nodes = new Map(nodes.map((node) => [node.id, node]));
    this.#codes = new Map(nodes.map((node) => [node.code, node]));
    for (const { id: node } of nodes) {
      this.#out.set(node, inEdgeOrder(edges.filter(({ fromId }) => fromId === node)));
      this.#into.set(node, inEdgeOrder(edges.filter(({ toId }) => toId === node)));
    }
    this.#steps = stepsOf(edges.filter(carriesOn).map(({ fromId, toId }) => ({ from: fromId, to: toId })));
    const start = nodes.find(({ type }) => type === 'start');
    if (!start) throw new Error(`Version ${id} has no start`);
    this.start = start;
  }

  node(id: string): PublishedNode {
    const node = this.#nodes.get(id);
    if (!node) throw new Error(`Version ${this.id} has no node ${id}`);
    return node;
  }

  nodeOfCode(code: string): PublishedNode | undefined {
    return this.#codes.get(code);
  }

  /** Edges that leave the node, of every type, in edge order. */
  out(nodeId: string): readonly PublishedEdge[] {
    return this.#out.get(nodeId) ?? [];
  }

  /** Edges that lead to the node, of every type. */
  into(nodeId: string): readonly PublishedEdge[] {
    return this.#into.get(nodeId) ?? [];
  }

  isOperable(nodeId: string): boolean {
    return isOperable(this.node(nodeId));
  }

  /** Whether work at the one node may come to the other, or is there. */
  reaches(fromId: string, toId: string): boolean {
    let there = this.#reached.get(fromId);
    if (!there) {
      there = reached(this.#steps, [fromId]);
      this.#reached.set(fromId, there);
    }
    return there.has(toId);
  }

  /** The join where the branches of a split come together again; null when they part for good. */
  joinOf(splitId: string): PublishedNode | null {
    const known = this.#joins.get(splitId);
    if (known !== undefined) return known;
    const join = this.findJoin(splitId);
    this.#joins.set(splitId, join);
    return join;
  }

  /** What becomes of the parent: COMPONENT, it waits at the join for its parts; FORK, its parts carry on alone. */
  kindOfSplit(splitId: string): 'COMPONENT' | 'FORK' {
    return this.node(splitId).splitKind ?? (this.joinOf(splitId) ? 'COMPONENT' : 'FORK');
  }

  /**
   * Where a piece that failed may be sent back to: operations before the node on its branch, nearest first. A branch
   * begins at a component anchor, a split, a join or the start.
   */
  reworkTargets(qcId: string): PublishedNode[] {
    const branchBegins = new Set(['component', 'split', 'join', 'start']);
    const back = new Map<string, string[]>();
    for (const node of this.nodes) {
      const before = branchBegins.has(node.type) ? [] : this.into(node.id).filter(carriesOn);
      back.set(
        node.id,
        before.map(({ fromId }) => fromId),
      );
    }
    const behind = [...reached(back, [qcId])].map((id) => this.node(id));
    return behind.filter(({ id, type }) => id !== qcId && type === 'operation');
  }

  private findJoin(splitId: string): PublishedNode | null {
    const ordered = inOrder([...this.#nodes.keys()], this.#steps);
    if (!ordered) return null;
    const apart = new Set(this.nodes.filter(endsApart).map(({ id }) => id));
    const [next] = passedAnyway(ordered, this.#steps, splitId, apart);
    if (next === undefined) return null;
    const node = this.node(next);
    return node.type === 'join' ? node : null;
  }
}
