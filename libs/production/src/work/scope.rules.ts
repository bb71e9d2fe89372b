import type { PublishedNode } from '../graphs/published-version.rules.js';

/** What a limit counts over: a place where work is done, or a node of a graph in all its jobs or in one. */
export type Scope =
  | { readonly kind: 'work-center'; readonly workCenterId: string }
  | {
      readonly kind: 'node';
      readonly graphId: string;
      readonly nodeCode: string;
      /** Null: over all jobs and versions. */
      readonly instanceId: string | null;
    };

type ScopedNode = Pick<PublishedNode, 'code' | 'workCenterId' | 'limitScope'> & { readonly graphId: string };

/** The scope in which a token of the instance is counted at the node. */
export function scopeOf({ workCenterId, limitScope, graphId, code }: ScopedNode, instanceId: string): Scope {
  if (workCenterId !== null) return { kind: 'work-center', workCenterId };
  return { kind: 'node', graphId, nodeCode: code, instanceId: limitScope === 'INSTANCE' ? instanceId : null };
}

/** One text for each scope: what its lock and its wake-up are named by. */
export function scopeKey(scope: Scope): string {
  if (scope.kind === 'work-center') return `work-center/${scope.workCenterId}`;
  return `node/${scope.graphId}/${scope.instanceId ?? '*'}/${scope.nodeCode}`;
}

/** The scope of a key; undefined when it is none. */
export function scopeOfKey(key: string): Scope | undefined {
  const uuid = String.raw`[0-9a-f-]{36}`;
  const workCenterId = new RegExp(`^work-center/(${uuid})$`).exec(key)?.[1];
  if (workCenterId !== undefined) return { kind: 'work-center', workCenterId };
  const [, graphId, instance, nodeCode] = new RegExp(`^node/(${uuid})/(${uuid}|\\*)/(.+)$`).exec(key) ?? [];
  if (graphId === undefined || instance === undefined || nodeCode === undefined) return undefined;
  return { kind: 'node', graphId, nodeCode, instanceId: instance === '*' ? null : instance };
}

/** Scopes as columns of a statement, in the order of their keys: the order in which they are locked. */
export function scopeColumns(scopes: Iterable<Scope>): {
  readonly keys: string[];
  readonly values: readonly (readonly (string | null)[])[];
} {
  const byKey = new Map([...scopes].map((scope) => [scopeKey(scope), scope]));
  const keys = [...byKey.keys()].toSorted();
  const ordered = keys.flatMap((key) => byKey.get(key) ?? []);
  return {
    keys,
    values: [
      keys,
      ordered.map((scope) => (scope.kind === 'work-center' ? scope.workCenterId : null)),
      ordered.map((scope) => (scope.kind === 'node' ? scope.graphId : null)),
      ordered.map((scope) => (scope.kind === 'node' ? scope.nodeCode : null)),
      ordered.map((scope) => (scope.kind === 'node' ? scope.instanceId : null)),
    ],
  };
}
