export const nodeTypes = [
  'start',
  'operation',
  'qc',
  'decision',
  'split',
  'join',
  'wait',
  'component',
  'subgraph',
  'handoff',
  'rework_sink',
  'end',
] as const;
export type NodeType = (typeof nodeTypes)[number];

/** What can be drawn today: a graph inside a graph and the change of lines have their names only. */
export const designableTypes = nodeTypes.filter((type) => type !== 'subgraph' && type !== 'handoff');

/** What people do at a node. */
export type NodeAction = 'start' | 'pause' | 'resume' | 'complete' | 'qc' | 'form' | 'approve';

/** What decides about a type besides the type itself. */
interface NodeKind {
  readonly type: NodeType;
  readonly formSchema: unknown;
  readonly waitRule: { readonly kind: string } | null;
}

interface Allowed {
  /** Whether people work there at all: then it is in the work queue, in plans and in assignment. */
  readonly operable: (node: NodeKind) => boolean;
  readonly actions: readonly NodeAction[];
  /** What the system does as soon as a token is there; null where it waits for a person. */
  readonly system: 'route' | 'split' | 'join' | 'wait' | 'sink' | 'end' | null;
}

const never = () => false;
const always = () => true;

/** What each type allows. Queue, plans, policy and permissions read it here and nowhere else. */
const allowed: Readonly<Record<NodeType, Allowed>> = {
  start: { operable: never, actions: [], system: 'route' },
  operation: { operable: always, actions: ['start', 'pause', 'resume', 'complete'], system: null },
  qc: { operable: always, actions: ['start', 'pause', 'resume', 'qc'], system: null },
  decision: { operable: ({ formSchema }) => formSchema !== null, actions: ['form'], system: 'route' },
  split: { operable: never, actions: [], system: 'split' },
  join: { operable: never, actions: [], system: 'join' },
  wait: { operable: ({ waitRule }) => waitRule?.kind === 'approval', actions: ['approve'], system: 'wait' },
  component: { operable: never, actions: [], system: 'route' },
  subgraph: { operable: never, actions: [], system: null },
  handoff: { operable: never, actions: [], system: null },
  rework_sink: { operable: never, actions: [], system: 'sink' },
  end: { operable: never, actions: [], system: 'end' },
};

/** Whether people work at the node. */
export function isOperable(node: NodeKind): boolean {
  return allowed[node.type].operable(node);
}

/** What people may do at the node; everything else is `action-not-for-node`. */
export function actionsAt(node: NodeKind): readonly NodeAction[] {
  return isOperable(node) ? allowed[node.type].actions : [];
}

/** What happens to a token that arrives, without anybody; null where a person is waited for. */
export function systemStepAt(node: NodeKind): Allowed['system'] {
  return node.type === 'decision' && isOperable(node) ? null : allowed[node.type].system;
}
