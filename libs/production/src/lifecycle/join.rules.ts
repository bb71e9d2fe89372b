import type { PublishedNode } from '../graphs/published-version.rules.js';
import { isLive, type TokenStatus } from './token.rules.js';

/** A child of a split, as a join sees it. */
export interface JoinChild {
  readonly id: string;
  readonly branchKey: string;
  readonly status: TokenStatus;
  /** Whether it has come to this join. */
  readonly hasArrived: boolean;
  /** Whether where it is it can still come to this join. */
  readonly mayArrive: boolean;
  readonly replacesTokenId: string | null;
}

export interface JoinState {
  readonly isSatisfied: boolean;
  /** It can never be satisfied, whatever its branches do. */
  readonly isHopeless: boolean;
  readonly arrived: readonly string[];
  readonly missing: readonly string[];
}

/**
 * How a join stands with the children of one group. A branch has arrived when all its children have; one whose child went
 * another way is not expected; one whose child was scrapped is, until a replacement comes.
 */
export function joinState(
  { joinType, joinQuorum }: Pick<PublishedNode, 'joinType' | 'joinQuorum'>,
  children: readonly JoinChild[],
): JoinState {
  const branches = branchesOf(children);
  const arrived = branches.filter(({ state }) => state === 'arrived').map(({ key }) => key);
  const coming = branches.filter(({ state }) => state === 'coming').map(({ key }) => key);
  const lost = branches.filter(({ state }) => state === 'lost').map(({ key }) => key);
  const all = arrived.length + coming.length + lost.length;
  const needed = joinType === 'AND' ? all : joinType === 'OR' ? 1 : (joinQuorum ?? all);
  return {
    isSatisfied: arrived.length > 0 && arrived.length >= needed,
    isHopeless: lost.length > 0 && arrived.length + coming.length < needed,
    arrived,
    missing: [...coming, ...lost],
  };
}

interface Branch {
  readonly key: string;
  readonly state: 'arrived' | 'coming' | 'lost' | 'elsewhere';
}

function branchesOf(children: readonly JoinChild[]): Branch[] {
  const replaced = new Set(children.map(({ replacesTokenId }) => replacesTokenId));
  const keys = [...new Set(children.map(({ branchKey }) => branchKey))].toSorted(
    (one, other) => Number(one) - Number(other),
  );
  return keys.map((key) => {
    const members = children.filter(({ id, branchKey }) => branchKey === key && !replaced.has(id));
    return { key, state: stateOf(members) };
  });
}

function stateOf(members: readonly JoinChild[]): Branch['state'] {
  if (members.some(({ status }) => status === 'scrapped')) return 'lost';
  if (members.every(({ hasArrived }) => hasArrived)) return 'arrived';
  const rest = members.filter(({ hasArrived }) => !hasArrived);
  return rest.every(({ status, mayArrive }) => isLive(status) && mayArrive) ? 'coming' : 'elsewhere';
}
