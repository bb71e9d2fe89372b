/** Whether a token takes an edge: one of the groups holds, and in it every term. */
export interface Condition {
  readonly groups: Term[][];
}

type Scalar = string | number | boolean;

interface Comparison {
  readonly type: 'token_property' | 'job_property' | 'node_property';
  readonly field: string;
  readonly op: Operator;
  readonly value: Scalar | Scalar[];
}

/** `default`, alone in its condition, is the way of whatever finds no other. */
export type Term = Comparison | { readonly type: 'default' };

export const operators = ['==', '!=', '>', '>=', '<', '<=', 'IN', 'NOT_IN', 'CONTAINS', 'STARTS_WITH'] as const;
export type Operator = (typeof operators)[number];

/** What conditions are asked about. A value that is missing is neither equal to anything nor in any list. */
export interface ConditionContext {
  readonly token: {
    readonly qty: number;
    readonly priority: number;
    readonly serial: string | null;
    readonly status: string;
    readonly reworkCount: number;
    readonly metadata: unknown;
    readonly qcResult: QcFacts | null;
  };
  readonly job: {
    readonly priority: number;
    readonly targetQty: number;
    readonly processMode: string;
    readonly line: string;
    /** The attributes of the ticket: order_channel, customer_tier, work_center_id. */
    readonly attributes: unknown;
  };
  readonly node: {
    readonly type: string;
    readonly code: string;
    readonly teamCategory: string | null;
    readonly workCenterCode: string | null;
  };
  /** What was submitted at a decision. */
  readonly form?: unknown;
}

interface QcFacts {
  readonly status: string;
  readonly defectType: string | null;
  readonly severity: string | null;
}

type Kind = 'number' | 'text' | 'any';

interface Field {
  readonly kind: Kind;
  readonly read: (context: ConditionContext) => unknown;
}

const fields: Readonly<Record<Comparison['type'], Readonly<Record<string, Field>>>> = {
  token_property: {
    qty: { kind: 'number', read: ({ token }) => token.qty },
    priority: { kind: 'number', read: ({ token }) => token.priority },
    serial: { kind: 'text', read: ({ token }) => token.serial },
    status: { kind: 'text', read: ({ token }) => token.status },
    rework_count: { kind: 'number', read: ({ token }) => token.reworkCount },
    'qc_result.status': { kind: 'text', read: ({ token }) => token.qcResult?.status },
    'qc_result.defect_type': { kind: 'text', read: ({ token }) => token.qcResult?.defectType },
    'qc_result.severity': { kind: 'text', read: ({ token }) => token.qcResult?.severity },
  },
  job_property: {
    priority: { kind: 'number', read: ({ job }) => job.priority },
    target_qty: { kind: 'number', read: ({ job }) => job.targetQty },
    process_mode: { kind: 'text', read: ({ job }) => job.processMode },
    order_channel: { kind: 'text', read: ({ job }) => at(job.attributes, ['order_channel']) },
    customer_tier: { kind: 'text', read: ({ job }) => at(job.attributes, ['customer_tier']) },
    work_center_id: { kind: 'text', read: ({ job }) => at(job.attributes, ['work_center_id']) },
    line: { kind: 'text', read: ({ job }) => job.line },
  },
  node_property: {
    node_type: { kind: 'text', read: ({ node }) => node.type },
    node_code: { kind: 'text', read: ({ node }) => node.code },
    team_category: { kind: 'text', read: ({ node }) => node.teamCategory },
    work_center_code: { kind: 'text', read: ({ node }) => node.workCenterCode },
  },
};

/** Whatever a token carries, and whatever was filled in at a decision, by its path. */
const open = /^(metadata|form)((?:\.\w{1,64}){1,4})$/;

const QC_RESULT = 'qc_result.';

/** Whether the token takes the edge. */
export function holds(condition: Condition, context: ConditionContext): boolean {
  return condition.groups.some((terms) => terms.length > 0 && terms.every((term) => termHolds(term, context)));
}

/** Whether the condition says no more than that the edge is the default. */
export function saysDefault({ groups }: Condition): boolean {
  return groups.length === 1 && groups[0]?.length === 1 && groups[0][0]?.type === 'default';
}

/** Whether it asks what quality control found. */
export function asksForQcResult({ groups }: Condition): boolean {
  return groups.flat().some((term) => term.type !== 'default' && term.field.startsWith(QC_RESULT));
}

/** Why the condition means nothing; null when it does mean something. */
export function faultOf(condition: Condition): string | null {
  if (condition.groups.length === 0 || condition.groups.some((terms) => terms.length === 0)) return 'a group is empty';
  if (saysDefault(condition)) return null;
  for (const term of condition.groups.flat()) {
    const fault = term.type === 'default' ? 'default stands alone' : comparisonFault(term);
    if (fault !== null) return fault;
  }
  return null;
}

function comparisonFault({ type, field, op, value }: Comparison): string | null {
  const known = fieldOf(type, field);
  if (!known) return `${type} has no field ${field}`;
  if (Array.isArray(value) !== (op === 'IN' || op === 'NOT_IN')) return `${op} does not go with that value`;
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.length === 0) return `${op} needs at least one value`;
  if (['>', '>=', '<', '<='].includes(op) && typeof value !== 'number') return `${op} compares numbers`;
  if ((op === 'CONTAINS' || op === 'STARTS_WITH') && typeof value !== 'string') return `${op} compares texts`;
  if (known.kind === 'any') return null;
  const type_ = known.kind === 'number' ? 'number' : 'string';
  return values.every((one) => typeof one === type_) ? null : `${field} is a ${known.kind}`;
}

function fieldOf(type: Comparison['type'], field: string): Field | undefined {
  if (Object.hasOwn(fields[type], field)) return fields[type][field];
  const path = type === 'token_property' ? open.exec(field) : null;
  if (!path) return undefined;
  const [, root, rest = ''] = path;
  const names = rest.split('.').slice(1);
  return { kind: 'any', read: ({ token, form }) => at(root === 'form' ? form : token.metadata, names) };
}

function termHolds(term: Term, context: ConditionContext): boolean {
  if (term.type === 'default') return false;
  const found = fieldOf(term.type, term.field)?.read(context);
  const { op, value } = term;
  switch (op) {
    case '==':
      return found === value;
    case '!=':
      return found !== value;
    case 'IN':
      return isAmong(found, value);
    case 'NOT_IN':
      return !isAmong(found, value);
    case 'CONTAINS':
      return contains(found, value);
    case 'STARTS_WITH':
      return typeof found === 'string' && typeof value === 'string' && found.startsWith(value);
    default:
      return typeof found === 'number' && typeof value === 'number' && compares(found, op, value);
  }
}

function compares(found: number, op: '>' | '>=' | '<' | '<=', value: number): boolean {
  if (op === '>') return found > value;
  if (op === '>=') return found >= value;
  return op === '<' ? found < value : found <= value;
}

function isAmong(found: unknown, value: Comparison['value']): boolean {
  return Array.isArray(value) && value.some((one) => one === found);
}

function contains(found: unknown, value: Comparison['value']): boolean {
  if (typeof value !== 'string') return false;
  return typeof found === 'string' ? found.includes(value) : Array.isArray(found) && found.includes(value);
}

function at(from: unknown, names: readonly string[]): unknown {
  let found = from;
  for (const name of names) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = Object.entries(found).find(([key]) => key === name)?.[1];
  }
  return found;
}
