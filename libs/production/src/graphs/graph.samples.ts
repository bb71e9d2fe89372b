import type { DesignedEdge, DesignedNode } from './graph.rules.js';
import type { PublishedEdge, PublishedNode } from './published-version.rules.js';

/** What a node has of which no more is said than its code and type. */
const usualNode: Omit<DesignedNode & PublishedNode, 'id' | 'code' | 'name' | 'type'> = {
  productionMode: 'hybrid',
  workCenterId: null,
  workCenterCode: null,
  teamCategory: null,
  estimatedMinutes: null,
  estimateBasis: 'unit',
  slaMinutes: null,
  wipLimit: null,
  concurrencyLimit: null,
  queueLimit: null,
  limitScope: 'NODE',
  assignmentPolicy: 'AUTO',
  preferredTeamId: null,
  allowedTeamIds: [],
  forbiddenTeamIds: [],
  allowTrainee: false,
  splitPolicy: 'ALL',
  splitKind: null,
  joinType: 'AND',
  joinQuorum: null,
  waitWindowMinutes: null,
  timeoutNodeCode: null,
  waitRule: null,
  qcPolicy: null,
  scrapPolicy: null,
  formSchema: null,
  formRole: null,
  anchorComponentCode: null,
  reasonMap: null,
  materialPolicy: 'warn',
  isExceptionEnd: false,
  requiredSkills: [],
  sequenceNo: 0,
};

const usualEdge = {
  type: 'normal',
  condition: null,
  isDefault: false,
  priority: 0,
  weight: null,
  multiply: null,
  componentCode: null,
  label: null,
} as const;

/** An operation is sewing, as one that nobody can do is not published. */
export function designedNode(
  code: string,
  type: DesignedNode['type'],
  details: Partial<DesignedNode> = {},
): DesignedNode {
  const teamCategory = type === 'operation' ? 'sewing' : null;
  return { ...usualNode, code, name: code, type, teamCategory, ...details };
}

export function designedEdge(from: string, to: string, details: Partial<DesignedEdge> = {}): DesignedEdge {
  return { ...usualEdge, from, to, ...details };
}

/** Its id is its code. */
export function publishedNode(
  code: string,
  type: PublishedNode['type'],
  details: Partial<PublishedNode> = {},
): PublishedNode {
  return { ...usualNode, id: code, code, name: code, type, ...details };
}

/** `A>B` is the id of the edge from A to B. */
export function publishedEdge(fromId: string, toId: string, details: Partial<PublishedEdge> = {}): PublishedEdge {
  return { ...usualEdge, id: `${fromId}>${toId}`, fromId, toId, sequenceNo: 0, ...details };
}

/** Draws `A-B-C` as edges one after the other. */
export function edgesAlong<Edge>(path: string, draw: (from: string, to: string) => Edge): Edge[] {
  const codes = path.split('-');
  return codes.slice(1).map((to, n) => draw(codes[n] ?? '', to));
}
