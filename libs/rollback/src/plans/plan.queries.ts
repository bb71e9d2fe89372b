import type pg from 'pg';
import type { PlanState } from '../engine/state.rules.js';
import { DocumentTooNew } from '../rollback.problems.js';
import { planDoc, SCHEMA_VERSION, type PlanDoc } from './plan.contract.js';
import { PlanNotFound } from './plan.problems.js';
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

interface PlanRow {
  readonly id: string;
  readonly doc: unknown;
  readonly state: PlanState;
  readonly created_by: string;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly over: boolean;
}

/** A plan with what was decided on it, as the other parts of the engine need it. */
export interface StoredPlan {
  readonly id: string;
  readonly doc: PlanDoc;
  readonly state: PlanState;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly votes: readonly VoteRow[];
}

/** Throws `PlanNotFound`, and `DocumentTooNew` for what a later release has written. */
export async function readPlan(
  on: pg.Pool | pg.ClientBase,
  id: string,
  lock: '' | 'FOR UPDATE' = '',
): Promise<StoredPlan> {
  const { rows } = await on.query<PlanRow>(
    `SELECT id, doc, state, created_by, created_at, expires_at, expires_at <= clock_timestamp() AS over
       FROM control.plan WHERE id = $1 ${lock}`,
    [id],
  );
  const [row] = rows;
  if (!row) throw new PlanNotFound(id);
  return {
    id,
    doc: readDoc(row.doc),
    state: row.over && isOpen(row.state) ? 'expired' : row.state,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    votes: await votesOn(on, id),
  };
}

/** Whether it may still be decided on. */
export function isOpen(state: PlanState): boolean {
  return state === 'validating' || state === 'blocked' || state === 'awaiting-approval' || state === 'approved';
}

/** Older documents are read as they were written; what a newer release wrote is refused. */
function readDoc(doc: unknown): PlanDoc {
  const version = typeof doc === 'object' && doc !== null && 'schemaVersion' in doc ? doc.schemaVersion : undefined;
  if (typeof version === 'number' && version > SCHEMA_VERSION)
    throw new DocumentTooNew('The plan', version, SCHEMA_VERSION);
  return planDoc.parse(doc);
}
