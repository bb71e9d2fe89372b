import { Injectable } from '@nestjs/common';
import type { Command } from '../production.command.js';
import { AssignmentPolicies } from './assignment-policies.service.js';
import type { Assignee, AssignmentFact } from './assignment-policy.contract.js';
import type { AssignmentRow } from './assignment.queries.js';

/** What must be known of a token to tell about its assignment; a locked token has it. */
export interface KnownToken {
  readonly id: string;
  readonly graphId: string;
  readonly ticketId: string;
}

export type GraphFact = AssignmentFact & { readonly graphId: string };

/** Tells the policy in force what has happened to assignments, after it happened and in the same transaction. */
@Injectable()
export class AssignmentLog {
  constructor(private readonly policies: AssignmentPolicies) {}

  async record(command: Command, facts: readonly GraphFact[]): Promise<void> {
    for (const graphId of new Set(facts.map((fact) => fact.graphId))) {
      const { policy, flags, isCore } = this.policies.for(command, graphId);
      if (isCore) continue;
      const { at, actorId, cause, tx } = command;
      const own = facts.filter((fact) => fact.graphId === graphId);
      await policy.record(tx, { facts: own, graphId, cause, actorId, flags, at });
    }
  }

  /** What people did to assignments of these tokens. */
  tell(
    command: Command,
    event: AssignmentFact['event'],
    rows: readonly AssignmentRow[],
    tokens: readonly KnownToken[],
    method?: AssignmentFact['method'],
  ): Promise<void> {
    const known = new Map(tokens.map((token) => [token.id, token]));
    const facts = rows.flatMap((row): GraphFact[] => {
      const token = known.get(row.tokenId);
      return token ? [{ ...factOf(row, token, event), ...(method && { method }) }] : [];
    });
    return this.record(command, facts);
  }
}

function factOf(row: AssignmentRow, { graphId, ticketId }: KnownToken, event: AssignmentFact['event']): GraphFact {
  return {
    graphId,
    event,
    tokenId: row.tokenId,
    nodeId: row.nodeId,
    jobTicketId: ticketId,
    method: row.method,
    assignee: assigneeOf(row),
    decision: null,
    reasonCode: row.reasonCode,
    reasonText: row.cancelReason ?? row.reasonText,
    queueReason: null,
    queuePosition: null,
    estimatedWaitMinutes: null,
  };
}

/** Whom an assignment is for. */
export function assigneeOf({ assigneeType, operatorId, teamId }: AssignmentRow): Assignee {
  if (assigneeType === 'team' && teamId !== null) return { type: 'team', operatorId, teamId };
  if (operatorId === null) throw new Error('An assignment is for nobody');
  return { type: 'operator', operatorId, teamId };
}
