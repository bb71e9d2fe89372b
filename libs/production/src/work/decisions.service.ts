import { Inject, Injectable } from '@nestjs/common';
import { LOG } from '@belay/platform';
import type { Logger } from 'pino';
import type { Command } from '../production.command.js';
import { AssignmentPolicies } from './assignment-policies.service.js';
import type { Decision, Question } from './assignment-policy.contract.js';
import { rejectionsOf } from './assignment.queries.js';
import { unassigned } from './core-assignment.service.js';
import { WorkMetrics } from './work-metrics.service.js';

export interface Decided {
  readonly decisions: ReadonlyMap<string, Decision>;
  /** Whether the policy could not answer. */
  readonly failed: boolean;
}

const SAVEPOINT = 'before_deciding';

/** Asks the policy in force, and goes on without it when it fails. */
@Injectable()
export class Decisions {
  constructor(
    @Inject(LOG) private readonly log: Logger,
    private readonly metrics: WorkMetrics,
    private readonly policies: AssignmentPolicies,
  ) {}

  /** A decision for each token. Those who rejected a token on this visit are never chosen for it. */
  async decide(
    command: Command,
    question: Omit<Question, 'at' | 'exclude' | 'flags'> & {
      readonly exclude?: ReadonlyMap<string, readonly string[]>;
    },
  ): Promise<Decided> {
    const { tx, at } = command;
    const { tokens, node } = question;
    const { policy, flags, isCore } = this.policies.for(command, node.graphId);
    if (isCore) return { decisions: new Map(tokens.map(({ id }) => [id, unassigned(id)])), failed: false };
    await tx.query(`SAVEPOINT ${SAVEPOINT}`);
    try {
      const exclude = question.exclude ?? new Map<string, readonly string[]>();
      const decisions = await policy.decide(tx, { ...question, exclude, flags, at });
      await tx.query(`RELEASE SAVEPOINT ${SAVEPOINT}`);
      return { decisions: new Map(decisions.map((decision) => [decision.tokenId, decision])), failed: false };
    } catch (error) {
      await tx.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
      this.log.error({ err: error, nodeId: node.id, tokens: tokens.length }, 'assignment policy failed');
      this.metrics.resolverErrors.inc();
      return { decisions: new Map(tokens.map(({ id }) => [id, failedFor(id)])), failed: true };
    }
  }

  /** Who is not to be asked again for each token: they rejected it where it is now. */
  async rejections({ tx }: Command, tokenIds: readonly string[]): Promise<Map<string, readonly string[]>> {
    const rows = await rejectionsOf(tx, [tokenIds]);
    return new Map(rows.map(({ tokenId, operatorIds }) => [tokenId, operatorIds]));
  }
}

function failedFor(tokenId: string): Decision {
  return { ...unassigned(tokenId), reasonCode: 'ERROR', reasonText: 'The automatic choice failed' };
}
