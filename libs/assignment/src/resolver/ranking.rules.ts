/** Somebody who may be chosen, with all that decides between them. */
export interface Candidate {
  readonly operatorId: string;
  readonly teamId: string;
  readonly load: number;
  /** Skills matched that are nice to have. */
  readonly niceSkills: number;
  /** What the work usually takes them; null with too few samples. */
  readonly cycleMinutes: number | null;
  readonly lastAssignedAt: number | null;
  /** Whether the round of the team has already been at them: who is still to come goes first. */
  readonly hadTurn: boolean;
  readonly sortPriority: number;
}

type Order = (one: Candidate, other: Candidate) => number;

export type TieBreak = 'AUTO_LEAST_LOAD' | 'AUTO_TIE_CYCLE' | 'AUTO_TIE_LRU' | 'AUTO_ROUND_ROBIN';

const orders: readonly { readonly by: TieBreak; readonly order: Order }[] = [
  { by: 'AUTO_LEAST_LOAD', order: (one, other) => one.load - other.load },
  { by: 'AUTO_LEAST_LOAD', order: (one, other) => other.niceSkills - one.niceSkills },
  { by: 'AUTO_TIE_CYCLE', order: (one, other) => nullsLast(one.cycleMinutes, other.cycleMinutes) },
  { by: 'AUTO_TIE_LRU', order: (one, other) => nullsFirst(one.lastAssignedAt, other.lastAssignedAt) },
  { by: 'AUTO_ROUND_ROBIN', order: (one, other) => Number(one.hadTurn) - Number(other.hadTurn) },
  { by: 'AUTO_ROUND_ROBIN', order: (one, other) => inTeamOrder(one, other) },
  { by: 'AUTO_ROUND_ROBIN', order: (one, other) => compare(one.teamId, other.teamId) },
];

/** The best first, whatever order they came in. */
export function ranked(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((one, other) => {
    for (const { order } of orders) {
      const result = order(one, other);
      if (result !== 0) return result;
    }
    return 0;
  });
}

/** What put the first before the second. */
export function tieBreak(first: Candidate, second: Candidate | undefined): TieBreak {
  if (!second) return 'AUTO_LEAST_LOAD';
  return orders.find(({ order }) => order(first, second) !== 0)?.by ?? 'AUTO_ROUND_ROBIN';
}

/** The order in which a team's round goes. */
export function inTeamOrder(
  one: Pick<Candidate, 'sortPriority' | 'operatorId'>,
  other: Pick<Candidate, 'sortPriority' | 'operatorId'>,
): number {
  return one.sortPriority - other.sortPriority || compare(one.operatorId, other.operatorId);
}

function nullsLast(one: number | null, other: number | null): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  return one - other;
}

function nullsFirst(one: number | null, other: number | null): number {
  if (one === null || other === null) return Number(other === null) - Number(one === null);
  return one - other;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
