import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, Outbox } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { Command } from '../production.command.js';
import { AssignmentLog, type KnownToken } from './assignment-log.service.js';
import {
  changeAssignments,
  endOpenAssignments,
  insertAssignments,
  lockOpenAssignments,
  type AssignmentRow,
  type AssignmentStatus,
} from './assignment.queries.js';
import type { Assignee, AssignmentMethod } from './assignment-policy.contract.js';

export interface NewAssignment {
  readonly tokenId: string;
  readonly nodeId: string;
  readonly assignee: Assignee;
  readonly method: AssignmentMethod;
  /** `started`: whoever starts unassigned work has it from then on. */
  readonly status?: 'assigned' | 'started';
  readonly reasonCode?: string | null;
  readonly reasonText?: string | null;
  readonly planRef?: string | null;
  readonly note?: string | null;
}

export interface AssignmentChange {
  readonly id: string;
  readonly from: readonly AssignmentStatus[];
  readonly to: AssignmentStatus;
  /** Of a cancellation or rejection. */
  readonly reason?: string;
  /** Who of the team has taken it. */
  readonly operatorId?: string;
}

/** The only writer of assignments: who is meant to work on what. However many, each call is one statement. */
@Injectable()
export class AssignmentRows {
  constructor(
    private readonly database: Database,
    private readonly log: AssignmentLog,
    private readonly outbox: Outbox,
  ) {}

  /** Those that were made: a token that is assigned to somebody is never assigned to another one by this. */
  async insert(command: Command, drafts: readonly NewAssignment[]): Promise<AssignmentRow[]> {
    if (drafts.length === 0) return [];
    const rows = drafts.map((draft) => ({
      id: randomUUIDv7(),
      tokenId: draft.tokenId,
      nodeId: draft.nodeId,
      assigneeType: draft.assignee.type,
      teamId: draft.assignee.teamId,
      operatorId: draft.assignee.operatorId,
      method: draft.method,
      status: draft.status ?? 'assigned',
      reasonCode: draft.reasonCode ?? null,
      reasonText: draft.reasonText ?? null,
      planRef: draft.planRef ?? null,
      note: draft.note ?? null,
    }));
    this.ring(command.tx);
    return insertAssignments(command.tx, [JSON.stringify(rows), command.at, command.actorId]);
  }

  /** Those that were what they were expected to be, as they are now. */
  async change(command: Command, changes: readonly AssignmentChange[]): Promise<AssignmentRow[]> {
    if (changes.length === 0) return [];
    this.ring(command.tx);
    return changeAssignments(command.tx, [JSON.stringify(changes), command.at]);
  }

  /** The work of these tokens is done where they are. */
  completeOpen(command: Command, tokenIds: readonly string[]): Promise<AssignmentRow[]> {
    return this.end(command, tokenIds, 'completed', null);
  }

  /** Whoever had the work has it no longer; a policy that keeps a log is told. */
  async cancelOpen(command: Command, tokens: readonly KnownToken[], reason: string): Promise<AssignmentRow[]> {
    const ids = tokens.map(({ id }) => id);
    const rows = await this.end(command, ids, 'cancelled', reason);
    await this.log.tell(command, 'cancelled', rows, tokens);
    return rows;
  }

  /** By token. Tokens are locked before. */
  async lockOpen(tx: EntityManager, tokenIds: readonly string[]): Promise<Map<string, AssignmentRow>> {
    const rows = await lockOpenAssignments(tx, [tokenIds]);
    return new Map(rows.map((row) => [row.tokenId, row]));
  }

  private async end(
    { tx, at }: Command,
    tokenIds: readonly string[],
    status: 'completed' | 'cancelled',
    reason: string | null,
  ): Promise<AssignmentRow[]> {
    if (tokenIds.length === 0) return [];
    this.ring(tx);
    return endOpenAssignments(tx, [tokenIds, status, reason, at]);
  }

  private ring(tx: EntityManager): void {
    this.database.afterCommit(tx, () => {
      this.outbox.ring();
    });
  }
}
