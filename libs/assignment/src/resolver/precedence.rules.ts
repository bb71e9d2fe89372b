export type RuleScope = 'token' | 'job_node' | 'node' | 'job';

/** A pin or a plan that is in force. Which of the ids it has follows from its scope. */
export interface Rule {
  readonly id: string;
  readonly mode: 'PIN' | 'PLAN';
  readonly scope: RuleScope;
  readonly tokenId: string | null;
  readonly jobTicketId: string | null;
  /** Null on a pin of a token, or a plan of a job, that is for every node. */
  readonly nodeCode: string | null;
  readonly assigneeType: 'operator' | 'team';
  readonly assigneeId: string;
  /** The smaller number comes first. */
  readonly priority: number;
  readonly whenAway: 'WAIT' | 'NEXT';
}

const scopes: readonly RuleScope[] = ['token', 'job_node', 'node', 'job'];

/** Those of the rules that speak of the token, in the order in which they are tried. */
export function rulesOf(
  rules: readonly Rule[],
  token: { readonly id: string; readonly jobTicketId: string },
): readonly Rule[] {
  return rules
    .filter(({ tokenId }) => tokenId === null || tokenId === token.id)
    .filter(({ jobTicketId }) => jobTicketId === null || jobTicketId === token.jobTicketId)
    .toSorted(byPrecedence);
}

/** Pins before plans, the more specific scope first, then priority, then age. */
function byPrecedence(one: Rule, other: Rule): number {
  return (
    Number(one.mode === 'PLAN') - Number(other.mode === 'PLAN') ||
    scopes.indexOf(one.scope) - scopes.indexOf(other.scope) ||
    Number(one.nodeCode === null) - Number(other.nodeCode === null) ||
    one.priority - other.priority ||
    (one.id < other.id ? -1 : Number(one.id > other.id))
  );
}
