import {
  AssignmentPolicy,
  type AssignmentFacts,
  type Decision,
  type PolicyFlags,
  type Question,
  type TokenToAssign,
  type Verdict,
  type WorkQuestion,
} from '@belay/production';
import type { EntityManager } from 'typeorm';

type Without<Given> = Given extends Decision
  ? Omit<Given, 'tokenId' | 'tier' | 'reasonCode' | 'reasonText' | 'alternatives' | 'warnings' | 'trace'>
  : never;
/** What is decided about a token; the rest of a decision does not matter here. */
type Said = Without<Decision>;
type Answer = (token: TokenToAssign, question: Question) => Said;

const nothing = { tier: null, reasonCode: null, reasonText: null, alternatives: [], warnings: [], trace: null };

/** A policy as a module would bring one along, which a test tells what to answer. */
export class WorkPolicy extends AssignmentPolicy {
  answer: Answer = () => nobody;
  verdict: (question: WorkQuestion) => Verdict | Promise<Verdict> = () => ({ allowed: true, warnings: [] });
  isOn = true;
  people = 1;
  returns = new Map<string, Date>();
  /** Done before it answers, inside the caller's transaction. */
  before: (tx: EntityManager) => Promise<unknown> = () => Promise.resolve();
  readonly asked: Question[] = [];
  readonly told: AssignmentFacts[] = [];

  override flags(): PolicyFlags | null {
    return this.isOn ? { works: true } : null;
  }

  override async decide(tx: EntityManager, question: Question): Promise<readonly Decision[]> {
    this.asked.push(question);
    await this.before(tx);
    return question.tokens.map((token) => ({ ...nothing, ...this.answer(token, question), tokenId: token.id }));
  }

  override async mayWork(_tx: EntityManager, question: WorkQuestion): Promise<Verdict> {
    return this.verdict(question);
  }

  override headcount(): Promise<number> {
    return Promise.resolve(this.people);
  }

  override nextStart(): Promise<ReadonlyMap<string, Date>> {
    return Promise.resolve(this.returns);
  }

  override record(_tx: EntityManager, facts: AssignmentFacts): Promise<void> {
    this.told.push(facts);
    return Promise.resolve();
  }

  /** What was told of the token, in the order in which it was. */
  events(tokenId: string): string[] {
    return this.told.flatMap(({ facts }) => facts.filter((fact) => fact.tokenId === tokenId).map(({ event }) => event));
  }
}

export const nobody: Said = { decision: 'UNASSIGNED', method: 'MANUAL' };

export function toOperator(operatorId: string): Said {
  return {
    decision: 'ASSIGNED',
    method: 'AUTO',
    assignee: { type: 'operator', operatorId, teamId: null },
    planRef: null,
  };
}

export function queued(queueReason: 'NO_MATCH' | 'OPERATOR_UNAVAILABLE' | 'TEAM_UNAVAILABLE'): Said {
  return { decision: 'QUEUED', method: 'AUTO', queueReason };
}
