import type { NodeToAssign } from './assignment-policy.contract.js';

type Place = Pick<NodeToAssign, 'workCenterId' | 'graphId' | 'code'>;

/** The one order in which a command asks the policy about nodes: it locks what it balances over, until the command ends. */
export function inBalanceOrder(one: Place, other: Place): number {
  const [first, second] = [placeOf(one), placeOf(other)];
  if (first === second) return 0;
  return first < second ? -1 : 1;
}

function placeOf({ workCenterId, graphId, code }: Place): string {
  return workCenterId ?? `${graphId} ${code}`;
}
