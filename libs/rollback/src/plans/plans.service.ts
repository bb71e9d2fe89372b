import { AuditTrail, inTransaction, Problem } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { Checks } from '../checks/checks.js';
import { judge, type CheckResult, type Verdict } from '../checks/verdict.rules.js';
import { auditActor, type Actor } from '../engine/actor.js';
import { checkTransition, type PlanState } from '../engine/state.rules.js';
import { World } from '../engine/world.js';
import { missingApprovals, type Vote } from './approval.rules.js';
import { fingerprintNow } from './fingerprint.queries.js';
import { hashOfDocument } from './plan-hash.rules.js';
import type { PlanDoc, PlanTarget, PlanView } from './plan.contract.js';
import { ChecksFailed, PlanExpired, PlanNotOpen, PlanStale, ReasonTooShort, SignInNotFresh } from './plan.problems.js';
import { isOpen, readPlan, votesOn, type StoredPlan } from './plan.queries.js';
import { Planner } from './planner.service.js';
import { checkVote, heldBy, stateVoted } from './vote.service.js';

export type { StoredPlan } from './plan.queries.js';

const LEAST_REASON = 10;
const GOOD_FOR = '30 minutes';

/** Runs the work in one transaction of the control database; a request brings one that is done once under its key. */
export type Transact = <Result>(work: (client: pg.ClientBase) => Promise<Result>) => Promise<Result>;

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
      return viewOf(await readPlan(client, id), verdict.results);
    });
  }

  /**
   * Somebody's word on a plan; a second word of theirs replaces the first. A rejection ends the plan, and so does
   * withdrawing from one that was approved. Denied attempts are audited too.
   */
  async decide(
    by: Actor,
    id: string,
    { decision, reason }: { decision: Vote['decision']; reason: string },
    transact: Transact = this.plainly,
  ): Promise<PlanView> {
    checkReason(reason);
    try {
      if (decision === 'approve') await this.checkAsPlanned(id);
      return await transact((client) => this.vote(client, by, id, decision, reason.trim()));
    } catch (error) {
      if (error instanceof Problem && error.kind === 'forbidden') {
        await this.trail.append(this.entry(by, `plan.${decision}`, id, reason, `denied: ${error.slug}`));
      }
      throw error;
    }
  }

  /** Checks again, and takes a plan that was blocked as far as it may go now. */
  async check(id: string): Promise<{ readonly plan: StoredPlan; readonly verdict: Verdict }> {
    const plan = await this.load(id);
    if (!isOpen(plan.state))
      throw plan.state === 'expired' ? new PlanExpired(id, plan.expiresAt) : new PlanNotOpen(id, plan.state);
    const verdict = await this.checks.run({ planId: id, plan: plan.doc, runId: null, phase: 'plan' });
    const after = stateAfter(plan.doc, verdict, plan.votes);
    if (plan.state !== 'blocked' || after === 'blocked') return { plan, verdict };
    checkTransition('plan', 'blocked', 'validating');
    checkTransition('plan', 'validating', after);
    await this.world.control.query(`UPDATE control.plan SET state = $2 WHERE id = $1 AND state = 'blocked'`, [
      id,
      after,
    ]);
    return { plan: { ...plan, state: after }, verdict };
  }

  /** The checks that stand in the way of a plan, as they were last seen. */
  async against(id: string): Promise<readonly CheckResult[]> {
    return judge(await this.checks.ofPlan(id)).against;
  }

  async get(id: string): Promise<PlanView> {
    return viewOf(await this.load(id), await this.checks.ofPlan(id));
  }

  /** Throws `PlanNotFound`, and `DocumentTooNew` for what a later release has written. */
  load(id: string, on: pg.Pool | pg.ClientBase = this.world.control): Promise<StoredPlan> {
    return readPlan(on, id);
  }

  /** Nobody agrees to what has a check against it, or to what things have moved on from. */
  private async checkAsPlanned(id: string): Promise<void> {
    const { state, doc } = await this.load(id);
    if (state === 'blocked') throw new ChecksFailed(await this.against(id));
    if (state !== 'awaiting-approval') return;
    if ((await fingerprintNow(this.world, doc.domains)) !== doc.fingerprint) throw new PlanStale(id);
  }

  private async vote(
    client: pg.ClientBase,
    by: Actor,
    id: string,
    decision: Vote['decision'],
    reason: string,
  ): Promise<PlanView> {
    const plan = await readPlan(client, id, 'FOR UPDATE');
    checkVote(plan, by, decision);
    if (decision === 'approve' && this.world.runtime.config.NODE_ENV === 'production') checkFreshSignIn(by);
    const held = heldBy(by, plan.doc);
    await client.query(
      `INSERT INTO control.approval (plan_id, actor, role, permissions, decision, reason)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (plan_id, actor) DO UPDATE SET role = excluded.role, permissions = excluded.permissions,
         decision = excluded.decision, reason = excluded.reason, at = clock_timestamp()`,
      [id, by.id, by.roles.join(' '), held, decision, reason],
    );
    const votes = await votesOn(client, id);
    const state = stateVoted({ ...plan, votes }, decision);
    if (state !== plan.state) {
      checkTransition('plan', plan.state, state);
      await client.query(`UPDATE control.plan SET state = $2 WHERE id = $1`, [id, state]);
    }
    await this.append(client, by, `plan.${decision}`, id, reason, state);
    return viewOf({ ...plan, votes, state }, await this.checks.ofPlan(id));
  }

  private async append(
    client: pg.ClientBase,
    by: Actor,
    action: string,
    planId: string,
    reason: string,
    outcome: string,
  ): Promise<void> {
    await this.trail.append(this.entry(by, action, planId, reason, outcome), client);
  }

  private entry(by: Actor, action: string, planId: string, reason: string, outcome: string) {
    return {
      actor: auditActor(by),
      action,
      subject: `plan ${planId}`,
      environment: this.world.runtime.config.NODE_ENV,
      reason,
      planId,
      afterDigest: planId,
      outcome,
    };
  }

  private readonly plainly: Transact = (work) => inTransaction(this.world.control, work);
}

const FRESH_SECONDS = 600;

/** For what production asks of people beyond a token: that they have proven themselves within ten minutes. */
export function checkFreshSignIn({ kind, authTime }: Actor): void {
  // Programs have tokens of their own, cut down to what they may, and the host has the machine.
  if (kind !== 'person') return;
  const age = authTime === null ? null : Math.floor(Date.now() / 1_000) - authTime;
  if (age === null || age > FRESH_SECONDS) throw new SignInNotFresh(FRESH_SECONDS, age);
}

export function checkReason(reason: string): void {
  const length = reason.trim().length;
  if (length < LEAST_REASON) throw new ReasonTooShort(length, LEAST_REASON);
}

function stateAfter(doc: PlanDoc, verdict: Verdict, votes: readonly Vote[]): PlanState {
  if (verdict.against.some(({ severity }) => severity === 'critical')) return 'blocked';
  return missingApprovals(doc.approvals, votes, doc.author).length > 0 ? 'awaiting-approval' : 'approved';
}

export function viewOf(plan: StoredPlan, checks: readonly CheckResult[]): PlanView {
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
