import { AuditTrail } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { Checks } from '../checks/checks.js';
import type { CheckResult, Verdict } from '../checks/verdict.rules.js';
import { auditActor, type Actor } from '../engine/actor.js';
import { checkTransition, type PlanState } from '../engine/state.rules.js';
import { World } from '../engine/world.js';
import { hashOfDocument } from './plan-hash.rules.js';
import { planDoc, SCHEMA_VERSION, type PlanDoc, type PlanTarget, type PlanView } from './plan.contract.js';
import { DocumentTooNew, PlanNotFound, ReasonTooShort } from './plan.problems.js';
import { missingApprovals, type Vote } from './approval.rules.js';
import { Planner } from './planner.service.js';
import { votesOn, type VoteRow } from './plan.queries.js';

export const LEAST_REASON = 10;
const GOOD_FOR = '30 minutes';

/** Runs the work in one transaction of the control database; a request brings one that is done once under its key. */
export type Transact = <Result>(work: (client: pg.ClientBase) => Promise<Result>) => Promise<Result>;

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

/** Plans as they are made, judged, agreed to and used up. */
@Injectable()
export class Plans {
  constructor(
    private readonly world: World,
    private readonly planner: Planner,
    private readonly checks: Checks,
    private readonly trail: AuditTrail,
  ) {}

  /** Plans, checks, and keeps both. A plan that a critical check stands against is kept as blocked, with the way on. */
  async create(by: Actor, target: PlanTarget, reason: string, transact: Transact = this.plainly): Promise<PlanView> {
    checkReason(reason);
    const doc = await this.planner.plan(by, target, reason.trim());
    const id = hashOfDocument(doc);
    const verdict = await this.checks.look({ planId: id, plan: doc, runId: null, phase: 'plan' });
    const state = stateAfter(doc, verdict, []);
    checkTransition('plan', 'validating', state);
    return transact(async (client) => {
      await client.query(
        `INSERT INTO control.plan (id, kind, doc, risk, fingerprint, reason, state, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp() + interval '${GOOD_FOR}')`,
        [id, target.kind, JSON.stringify(doc), doc.risk, doc.fingerprint, doc.reason, state, by.id, doc.createdAt],
      );
      await this.checks.keep(client, { planId: id, runId: null }, verdict.results);
      await this.append(client, by, 'plan.create', id, reason, state);
      return viewOf(await this.read(client, id), verdict.results);
    });
  }

  async get(id: string): Promise<PlanView> {
    return viewOf(await this.load(id), await this.checks.ofPlan(id));
  }

  /** Throws `PlanNotFound`, and `DocumentTooNew` for what a later release has written. */
  load(id: string, on: pg.Pool | pg.ClientBase = this.world.control): Promise<StoredPlan> {
    return this.read(on, id);
  }

  private async read(on: pg.Pool | pg.ClientBase, id: string, lock = ''): Promise<StoredPlan> {
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

  private async append(
    client: pg.ClientBase,
    by: Actor,
    action: string,
    planId: string,
    reason: string,
    outcome: string,
  ): Promise<void> {
    await this.trail.append(
      {
        actor: auditActor(by),
        action,
        subject: `plan ${planId}`,
        environment: this.world.runtime.config.NODE_ENV,
        reason,
        planId,
        afterDigest: planId,
        outcome,
      },
      client,
    );
  }

  private readonly plainly: Transact = async (work) => {
    const client = await this.world.control.connect();
    try {
      await client.query('BEGIN');
      const result = await work(client);
      await client.query('COMMIT');
      client.release();
      return result;
    } catch (error) {
      // Its transaction is in doubt, so the connection is not used again.
      client.release(true);
      throw error;
    }
  };
}

export function checkReason(reason: string): void {
  const length = reason.trim().length;
  if (length < LEAST_REASON) throw new ReasonTooShort(length, LEAST_REASON);
}

function isOpen(state: PlanState): boolean {
  return state === 'validating' || state === 'blocked' || state === 'awaiting-approval' || state === 'approved';
}

/** Older documents are read as they were written; what a newer release wrote is refused. */
function readDoc(doc: unknown): PlanDoc {
  const version = typeof doc === 'object' && doc !== null && 'schemaVersion' in doc ? doc.schemaVersion : undefined;
  if (typeof version === 'number' && version > SCHEMA_VERSION) throw new DocumentTooNew(version, SCHEMA_VERSION);
  return planDoc.parse(doc);
}

function stateAfter(doc: PlanDoc, verdict: Verdict, votes: readonly Vote[]): PlanState {
  if (verdict.against.some(({ severity }) => severity === 'critical')) return 'blocked';
  return missingApprovals(doc.approvals, votes, doc.author).length > 0 ? 'awaiting-approval' : 'approved';
}

function viewOf(plan: StoredPlan, checks: readonly CheckResult[]): PlanView {
  const { id, state, doc, createdBy, createdAt, expiresAt, votes } = plan;
  return {
    id,
    state,
    doc,
    createdBy,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    approvals: votes.map(({ actor, role, decision, reason, at }) => ({
      actor,
      role,
      decision,
      reason,
      at: at.toISOString(),
    })),
    missing: [...missingApprovals(doc.approvals, votes, doc.author)],
    checks: checks.map((check) => ({ ...check, recovery: [...check.recovery] })),
  };
}
