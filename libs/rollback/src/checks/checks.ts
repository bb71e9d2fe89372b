import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { z } from 'zod';
import { World } from '../engine/world.js';
import { checkResultView, type PlanDoc, type PlanStep } from '../plans/plan.contract.js';
import type { CheckPhase, CheckReport, SafetyCheck } from './check.js';
import { jobsCheck, transactionsCheck, usersCheck } from './activity.check.js';
import { approvalCheck } from './approval.check.js';
import { auditCheck } from './audit.check.js';
import { backupCheck, restoreTimeCheck } from './backup.check.js';
import { capacityCheck } from './capacity.check.js';
import { clockCheck } from './clock.check.js';
import { dependentsCheck } from './dependents.check.js';
import { driftCheck } from './drift.check.js';
import { freshnessCheck } from './freshness.check.js';
import { guardCheck } from './guard.check.js';
import { integrityCheck } from './integrity.check.js';
import { leaseCheck } from './lease.check.js';
import { migrationHashCheck, reversibilityCheck } from './migration.check.js';
import { rehearsalCheck } from './rehearsal.check.js';
import { targetCheck } from './target.check.js';
import { judge, type CheckResult, type Verdict } from './verdict.rules.js';

/** The safety checks of this build, in the order of their numbers. */
export const safetyChecks: readonly SafetyCheck[] = [
  leaseCheck,
  auditCheck,
  targetCheck,
  freshnessCheck,
  driftCheck,
  migrationHashCheck,
  reversibilityCheck,
  guardCheck,
  dependentsCheck,
  backupCheck,
  restoreTimeCheck,
  usersCheck,
  jobsCheck,
  transactionsCheck,
  integrityCheck,
  approvalCheck,
  capacityCheck,
  rehearsalCheck,
  clockCheck,
];

const PATIENCE_MS = 10_000;
/** Before the effects of an emergency; afterwards there is time again. */
const EMERGENCY_PATIENCE_MS = 2_000;

export interface CheckSubject {
  readonly planId: string | null;
  readonly plan: PlanDoc;
  readonly runId: string | null;
  readonly phase: CheckPhase;
  readonly step?: PlanStep;
  readonly signal?: AbortSignal;
  /** Who goes on although checks that are not critical did not pass: whoever resumed the run, or declared the emergency. */
  readonly acceptedBy?: string | null;
}

/** Looks whether a plan may go on, and keeps what it saw. */
@Injectable()
export class Checks {
  constructor(private readonly world: World) {}

  /** Makes the checks of the phase and keeps their results. What it decides is in the verdict; it throws for defects only. */
  async run(subject: CheckSubject): Promise<Verdict> {
    const verdict = await this.look(subject);
    await this.keep(this.world.control, subject, verdict.results);
    return verdict;
  }

  /** The same, and nothing is kept. */
  async look(subject: CheckSubject): Promise<Verdict> {
    const { plan, phase } = subject;
    const accepted = await this.acceptedBefore(subject);
    const due = safetyChecks.filter((check) => check.applies(plan) && isDue(check, plan, phase));
    const emergency = plan.target.kind === 'emergency' && phase !== 'after';
    const results = await Promise.all(
      due.map((check) => {
        const severity = severityOf(check, plan);
        if (emergency && severity === 'normal')
          return Promise.resolve(bypassed(check, subject.acceptedBy ?? plan.author));
        return this.make(check, subject, accepted.has(check.id) ? 'approval' : (subject.acceptedBy ?? null));
      }),
    );
    return judge(results);
  }

  /** The newest result of each check of a plan that is no run's. */
  async ofPlan(planId: string): Promise<readonly CheckResult[]> {
    return this.newest('plan_id = $1 AND run_id IS NULL', planId);
  }

  /** The newest result of each check that was made for a run. */
  async ofRun(runId: string): Promise<readonly CheckResult[]> {
    return this.newest('run_id = $1', runId);
  }

  async keep(
    on: pg.Pool | pg.ClientBase,
    { planId, runId }: Pick<CheckSubject, 'planId' | 'runId'>,
    results: readonly CheckResult[],
  ): Promise<void> {
    if (results.length === 0 || (planId === null && runId === null)) return;
    const rows = results.map((result) => ({ ...result, id: randomUUIDv7(), check: result.id }));
    await on.query(
      `INSERT INTO control.check_result
         (id, plan_id, run_id, check_id, outcome, severity, measured, threshold, evidence, recovery, bypassed_by)
       SELECT id, $1, $2, "check", outcome, severity, measured, threshold, evidence, recovery, "bypassedBy"
       FROM jsonb_to_recordset($3::jsonb) AS one(id uuid, "check" text, outcome text, severity text, measured jsonb,
            threshold jsonb, evidence jsonb, recovery jsonb, "bypassedBy" text)`,
      [planId, runId, JSON.stringify(rows)],
    );
  }

  private async newest(condition: string, id: string): Promise<readonly CheckResult[]> {
    const { rows } = await this.world.control.query(
      `SELECT DISTINCT ON (check_id) check_id AS id, outcome, severity, coalesce(measured, '{}') AS measured,
              coalesce(threshold, '{}') AS threshold, evidence, recovery, bypassed_by AS "bypassedBy"
       FROM control.check_result WHERE ${condition} ORDER BY check_id, at DESC, id DESC`,
      [id],
    );
    return z
      .array(checkResultView.omit({ title: true }))
      .parse(rows)
      .map((row) => ({ ...row, title: titleOf(row.id) }));
  }

  private async make(check: SafetyCheck, subject: CheckSubject, bypassedBy: string | null): Promise<CheckResult> {
    const { planId, plan, phase, runId, step = null } = subject;
    const severity = severityOf(check, plan);
    const ms = plan.target.kind === 'emergency' && phase !== 'after' ? EMERGENCY_PATIENCE_MS : PATIENCE_MS;
    const enough = new AbortController();
    const late = AbortSignal.timeout(ms);
    const signal = subject.signal ? AbortSignal.any([subject.signal, late]) : late;
    const context = { world: this.world, planId, plan, phase, runId, step, signal };
    const tooLate = sleep(ms, unanswered(ms), { signal: enough.signal }).catch(() => unanswered(ms));
    const known = await Promise.race([check.run(context).catch(unknown), tooLate]);
    enough.abort();
    const { id, title } = check;
    return {
      ...known,
      id,
      title,
      severity,
      bypassedBy: severity === 'normal' && known.outcome !== 'pass' ? bypassedBy : null,
    };
  }

  /** What did not pass when the plan was made, and was seen by whoever approved it or asked for the run. */
  private async acceptedBefore({ planId, runId }: CheckSubject): Promise<ReadonlySet<string>> {
    if (planId === null || runId === null) return new Set();
    const known = await this.ofPlan(planId);
    return new Set(known.filter(({ outcome }) => outcome !== 'pass').map(({ id }) => id));
  }
}

/** What an emergency puts off is written down as put off, and made after it, whenever it would have been made. */
function isDue(check: SafetyCheck, plan: PlanDoc, phase: CheckPhase): boolean {
  if (check.phases.includes(phase)) return true;
  const puttingOff = plan.target.kind === 'emergency' && severityOf(check, plan) === 'normal';
  return puttingOff && (phase === 'start' || phase === 'after');
}

function severityOf({ severity }: SafetyCheck, plan: PlanDoc): CheckResult['severity'] {
  if (severity !== 'destructive') return severity;
  return plan.steps.some(({ destructive }) => destructive) ? 'critical' : 'normal';
}

function titleOf(id: string): string {
  return safetyChecks.find((check) => check.id === id)?.title ?? id;
}

function bypassed({ id, title }: SafetyCheck, by: string): CheckResult {
  const report = { outcome: 'not-run', measured: {}, threshold: {}, evidence: {} } as const;
  const recovery = [{ kind: 'wait-until', text: 'It is made after the effects' } as const];
  return { ...report, id, title, severity: 'normal', bypassedBy: by, recovery };
}

function unknown(error: unknown): CheckReport {
  const message = error instanceof Error ? error.message : String(error);
  return {
    outcome: 'inconclusive',
    measured: { error: message },
    threshold: {},
    evidence: {},
    recovery: [{ kind: 'wait-until', text: 'Put right what keeps it from looking, and check again' }],
  };
}

function unanswered(ms: number): CheckReport {
  return {
    outcome: 'not-run',
    measured: { waitedMs: ms },
    threshold: {},
    evidence: {},
    recovery: [{ kind: 'wait-until', text: 'Try again when the databases answer in time' }],
  };
}
