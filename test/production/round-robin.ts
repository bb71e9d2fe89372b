import type { EntityManager } from 'typeorm';
import { AssignmentPolicy, type Decision, type Question, type Verdict } from '@belay/production';

export interface Crew {
  readonly teamId: string;
  readonly category: string;
  readonly operatorIds: readonly string[];
}

/** Each in turn who is there, whatever they have to do already: what choosing by load is measured against. */
export class RoundRobin extends AssignmentPolicy {
  readonly #turns = new Map<string, number>();

  constructor(
    private readonly crews: readonly Crew[],
    private readonly isAway: (operatorId: string) => boolean,
  ) {
    super();
  }

  override flags(): Record<string, boolean> {
    return {};
  }

  override decide(_tx: EntityManager, { tokens, node }: Question): Promise<readonly Decision[]> {
    const crew = this.crews.find(({ category }) => category === node.teamCategory);
    return Promise.resolve(tokens.map(({ id }) => decisionOf(id, crew, crew && this.next(node.id, crew))));
  }

  override mayWork(): Promise<Verdict> {
    return Promise.resolve({ allowed: true, warnings: [] });
  }

  override headcount(_tx: EntityManager, { teamCategory }: Question['node']): Promise<number> {
    return Promise.resolve(this.crews.find(({ category }) => category === teamCategory)?.operatorIds.length ?? 0);
  }

  override nextStart(): Promise<ReadonlyMap<string, Date>> {
    return Promise.resolve(new Map());
  }

  override record(): Promise<void> {
    return Promise.resolve();
  }

  private next(nodeId: string, { operatorIds }: Crew): string | undefined {
    const turn = this.#turns.get(nodeId) ?? 0;
    const inTurn = operatorIds.map((_, n) => operatorIds[(turn + n) % operatorIds.length] ?? '');
    const skipped = inTurn.findIndex((id) => !this.isAway(id));
    if (skipped === -1) return undefined;
    this.#turns.set(nodeId, turn + skipped + 1);
    return inTurn[skipped];
  }
}

function decisionOf(tokenId: string, crew: Crew | undefined, operatorId: string | undefined): Decision {
  const facts = {
    tokenId,
    tier: 'auto',
    reasonCode: 'AUTO_ROUND_ROBIN',
    reasonText: null,
    alternatives: [],
    warnings: [],
    trace: null,
  };
  if (!crew || operatorId === undefined) {
    return { ...facts, decision: 'QUEUED', method: 'AUTO', queueReason: 'TEAM_UNAVAILABLE' };
  }
  const assignee = { type: 'operator', operatorId, teamId: crew.teamId } as const;
  return { ...facts, decision: 'ASSIGNED', method: 'AUTO', assignee, planRef: null };
}
