import type { Condition } from './condition.rules.js';
import type { NodeType } from './node-type.rules.js';

export const edgeTypes = ['normal', 'conditional', 'rework', 'event'] as const;
export const productionModes = ['atelier', 'oem', 'hybrid'] as const;
export const teamCategories = ['cutting', 'sewing', 'qc', 'finishing', 'general'] as const;
export const estimateBases = ['unit', 'fixed'] as const;
export const limitScopes = ['NODE', 'INSTANCE'] as const;
export const assignmentPolicies = ['AUTO', 'PLANNED_ONLY', 'TEAM_PULL'] as const;
export const splitPolicies = ['ALL', 'CONDITIONAL', 'RATIO', 'MULTIPLY'] as const;
export const splitKinds = ['COMPONENT', 'FORK'] as const;
export const joinTypes = ['AND', 'OR', 'N_OF_M'] as const;
export const materialPolicies = ['warn', 'block', 'off'] as const;
export const replacementModes = ['manual', 'auto_from_start', 'auto_from_cut', 'none'] as const;
export const collectors = ['job_ticket', 'instance'] as const;
export const formFieldTypes = ['text', 'number', 'choice', 'yes_no'] as const;

export type EdgeType = (typeof edgeTypes)[number];

type WaitRule =
  | { readonly kind: 'time'; readonly minutes: number }
  | { readonly kind: 'batch'; readonly minBatch: number; readonly collectFor: (typeof collectors)[number] }
  | { readonly kind: 'approval'; readonly role: string };

export interface QcPolicy {
  /** How often a piece is reworked at most; the token's own limit, else 3, when it is not said. */
  readonly reworkLimit: number | null;
  readonly allowScrap: boolean;
  /** A failed piece goes nowhere but along a rework edge. */
  readonly requireReworkEdge: boolean;
  /** Whether whoever worked on the piece last may judge it. */
  readonly selfQcAllowed: boolean;
  /** Without an assignment only those with the role qc in their team may. */
  readonly qcAssignmentRequired: boolean;
}

export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly type: (typeof formFieldTypes)[number];
  readonly required: boolean;
  /** What can be chosen. */
  readonly options: readonly string[];
}

interface RequiredSkill {
  readonly skillCode: string;
  readonly minLevel: number;
  /** False: nice to have. */
  readonly required: boolean;
}

/** A station, or a step of the system, as it is designed. Whatever a type has no use for is null. */
export interface DesignedNode {
  readonly code: string;
  readonly name: string;
  readonly type: NodeType;
  readonly productionMode: (typeof productionModes)[number];
  readonly workCenterId: string | null;
  readonly teamCategory: (typeof teamCategories)[number] | null;
  readonly estimatedMinutes: number | null;
  readonly estimateBasis: (typeof estimateBases)[number];
  readonly slaMinutes: number | null;
  readonly wipLimit: number | null;
  readonly concurrencyLimit: number | null;
  readonly queueLimit: number | null;
  readonly limitScope: (typeof limitScopes)[number];
  readonly assignmentPolicy: (typeof assignmentPolicies)[number];
  readonly preferredTeamId: string | null;
  readonly allowedTeamIds: readonly string[];
  readonly forbiddenTeamIds: readonly string[];
  readonly allowTrainee: boolean;
  readonly splitPolicy: (typeof splitPolicies)[number];
  /** Null: COMPONENT where a join gathers all branches, else FORK. */
  readonly splitKind: (typeof splitKinds)[number] | null;
  readonly joinType: (typeof joinTypes)[number];
  readonly joinQuorum: number | null;
  readonly waitWindowMinutes: number | null;
  readonly timeoutNodeCode: string | null;
  readonly waitRule: WaitRule | null;
  readonly qcPolicy: QcPolicy | null;
  readonly scrapPolicy: { readonly mode: (typeof replacementModes)[number] } | null;
  readonly formSchema: { readonly fields: readonly FormField[] } | null;
  readonly formRole: string | null;
  readonly anchorComponentCode: string | null;
  readonly reasonMap: Readonly<Record<string, string>> | null;
  readonly materialPolicy: (typeof materialPolicies)[number];
  readonly isExceptionEnd: boolean;
  readonly requiredSkills: readonly RequiredSkill[];
}

export interface DesignedEdge {
  /** Codes of nodes. */
  readonly from: string;
  readonly to: string;
  readonly type: EdgeType;
  readonly condition: Condition | null;
  readonly isDefault: boolean;
  readonly priority: number;
  readonly weight: number | null;
  readonly multiply: number | null;
  readonly componentCode: string | null;
  readonly label: string | null;
}

/** A graph as it is drawn. The order of the nodes and edges is theirs: it breaks ties. */
export interface Design {
  readonly nodes: readonly DesignedNode[];
  readonly edges: readonly DesignedEdge[];
}

/** The edges that work moves along by itself: rework and events are left out. */
export function carriesOn({ type }: { readonly type: EdgeType }): boolean {
  return type === 'normal' || type === 'conditional';
}

/** Whether work that comes there has left the usual way. */
export function endsApart({ type, isExceptionEnd }: Pick<DesignedNode, 'type' | 'isExceptionEnd'>): boolean {
  return type === 'rework_sink' || isExceptionEnd;
}

/** The order in which edges of a node are looked at: by priority, then as they were drawn. */
export function inEdgeOrder<Edge extends { readonly priority: number; readonly sequenceNo: number }>(
  edges: readonly Edge[],
): Edge[] {
  return edges.toSorted((one, other) => other.priority - one.priority || one.sequenceNo - other.sequenceNo);
}
