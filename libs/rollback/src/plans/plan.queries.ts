import type pg from 'pg';
import type { Vote } from './approval.rules.js';

export interface VoteRow extends Vote {
  readonly role: string;
  readonly reason: string;
  readonly at: Date;
}

/** What people said of a plan, first words first. */
export async function votesOn(on: pg.Pool | pg.ClientBase, planId: string): Promise<readonly VoteRow[]> {
  const { rows } = await on.query<VoteRow>(
    `SELECT actor, role, permissions, decision, reason, at FROM control.approval WHERE plan_id = $1 ORDER BY at, actor`,
    [planId],
  );
  return rows;
}
