import { randomUUIDv7 } from 'node:crypto';
import { AuditTrail, violates } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { missingApprovals } from '../plans/approval.rules.js';
import { ApprovalMissing, ChecksFailed, PlanExpired, PlanNotOpen } from '../plans/plan.problems.js';
import { checkFreshSignIn, checkReason, Plans, type StoredPlan, type Transact } from '../plans/plans.service.js';
import { auditActor, type Actor } from '../engine/actor.js';
import { readLease } from '../engine/lease.js';
import { checkTransition } from '../engine/state.rules.js';
import { stepKeyOf } from '../engine/step-context.js';
import { World } from '../engine/world.js';
import { RunInProgress } from '../rollback.problems.js';
import type { RunView } from './run.contract.js';
import { RunReader } from './run-reader.service.js';

type Mode = 'normal' | 'drill' | 'undo' | 'emergency';

/** Asks for runs; what carries them out reads the same rows. */
@Injectable()
export class Runs {
  constructor(
    private readonly world: World,
    private readonly plans: Plans,
    private readonly reader: RunReader,
    private readonly trail: AuditTrail,
  ) {}

  /**
   * Uses an approved plan up: the run is queued, and the executor is told when this commits. Throws `plan-expired`,
   * `approval-missing`, `checks-failed`, `plan-not-open`, or `run-in-progress` when the scope is held; in production
   * `sign-in-not-fresh`.
   */
  async request(by: Actor, planId: string, reason: string, transact: Transact): Promise<RunView> {
    checkReason(reason);
    if (this.world.runtime.config.NODE_ENV === 'production') checkFreshSignIn(by);
    try {
      return await transact((client) => this.use(client, by, planId, reason.trim()));
    } catch (error) {
      if (!violates(error, 'run_is_alone_in_its_scope')) throw error;
      throw RunInProgress.holding('live', await readLease(this.world.control, 'live'));
    }
  }

  private async use(client: pg.ClientBase, by: Actor, planId: string, reason: string): Promise<RunView> {
    await client.query(`SELECT FROM control.plan WHERE id = $1 FOR UPDATE`, [planId]);
    const plan = await this.plans.load(planId, client);
    if (plan.state === 'blocked') throw new ChecksFailed(await this.plans.against(planId));
    checkUsable(plan);
    checkTransition('plan', 'approved', 'used');
    await client.query(`UPDATE control.plan SET state = 'used' WHERE id = $1`, [planId]);
    const runId = randomUUIDv7();
    await this.queue(client, by, plan, { runId, reason });
    return this.reader.get(runId, client);
  }

  /** Writes the run of a plan that is used up, in the caller's transaction: the executor is told when it commits. */
  async queue(
    client: pg.ClientBase,
    by: Actor,
    plan: Pick<StoredPlan, 'id' | 'doc'>,
    { runId, reason }: { readonly runId: string; readonly reason: string },
  ): Promise<void> {
    await insertRun(client, by, plan, runId, reason);
    await this.trail.append(
      {
        actor: auditActor(by),
        action: 'run.request',
        subject: `run ${runId}`,
        environment: this.world.runtime.config.NODE_ENV,
        reason,
        planId: plan.id,
        runId,
        beforeDigest: plan.doc.fingerprint,
        outcome: 'queued',
      },
      client,
    );
  }
}

function checkUsable({ id, state, doc, expiresAt, votes }: StoredPlan): void {
  if (state === 'expired') throw new PlanExpired(id, expiresAt);
  if (state === 'awaiting-approval') throw new ApprovalMissing(missingApprovals(doc.approvals, votes, doc.author));
  if (state !== 'approved') throw new PlanNotOpen(id, state);
}

async function insertRun(
  client: pg.ClientBase,
  by: Actor,
  { id, doc }: Pick<StoredPlan, 'id' | 'doc'>,
  runId: string,
  reason: string,
): Promise<void> {
  const { target, policy, steps } = doc;
  await client.query(
    `INSERT INTO control.run (id, plan_id, mode, state, policy, level, reason, actor, undoes, last_event)
     VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, $8, 1)`,
    [
      runId,
      id,
      modeOf(target.kind),
      policy,
      target.kind === 'emergency' ? target.level : null,
      reason,
      by.id,
      target.kind === 'undo' ? target.runId : null,
    ],
  );
  const rows = steps.map(({ action, version, domain, input }, idx) => ({
    idx,
    key: stepKeyOf(runId, idx, action),
    action,
    version,
    domain,
    input,
  }));
  await client.query(
    `INSERT INTO control.run_step (run_id, idx, key, action, version, domain, input, state)
     SELECT $1, idx, key, action, version, domain, input, 'pending'
     FROM jsonb_to_recordset($2::jsonb)
       AS one(idx integer, key text, action text, version integer, domain text, input jsonb)`,
    [runId, JSON.stringify(rows)],
  );
  await client.query(`INSERT INTO control.run_event (run_id, seq, type, payload) VALUES ($1, 1, 'run.queued', $2)`, [
    runId,
    JSON.stringify({ by: by.name, steps: steps.length, percent: 0 }),
  ]);
}

function modeOf(kind: string): Mode {
  return kind === 'undo' || kind === 'emergency' ? kind : 'normal';
}
