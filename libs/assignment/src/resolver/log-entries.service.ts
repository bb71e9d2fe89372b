import { Injectable } from '@nestjs/common';
import type { AssignmentFact, AssignmentFacts, Decision } from '@belay/production';
import type { EntityManager } from 'typeorm';
import { writeLog } from './log-entry.queries.js';

const byPeople: readonly string[] = ['MANUAL', 'REASSIGN', 'HELP'];

/** Writes down what became of decisions, and what people did to them. */
@Injectable()
export class LogEntries {
  /** Decisions come back as they went out, when they have had their effect. */
  readonly #took = new WeakMap<Decision, number>();

  took(decisions: readonly Decision[], milliseconds: number): void {
    for (const decision of decisions) this.#took.set(decision, milliseconds);
  }

  async write(tx: EntityManager, { facts, actorId, at, cause, flags }: AssignmentFacts): Promise<void> {
    if (facts.length === 0) return;
    const entries = facts.map((fact) => this.entry(fact, { cause, flags }));
    const written = await writeLog(tx, [JSON.stringify(entries), actorId, at]);
    if (written.length !== facts.length)
      throw new Error(`${written.length} of ${facts.length} log entries were written`);
  }

  private entry(fact: AssignmentFact, circumstances: Pick<AssignmentFacts, 'cause' | 'flags'>) {
    const { assignee, decision, reasonText, ...told } = fact;
    const { tier = null, alternatives = [], warnings = [], trace = null } = decision ?? {};
    const latencyMs = decision ? this.#took.get(decision) : undefined;
    return {
      ...told,
      assigneeType: assignee?.type ?? null,
      assigneeId: (assignee?.type === 'team' ? assignee.teamId : assignee?.operatorId) ?? null,
      operatorId: assignee?.operatorId ?? null,
      tier: tier ?? (byPeople.includes(told.method) ? 'manual' : null),
      latencyMs: latencyMs === undefined ? null : Math.round(latencyMs * 1_000) / 1_000,
      reason: { ...circumstances, text: reasonText, alternatives, warnings, ...(trace !== null && { trace }) },
    };
  }
}
