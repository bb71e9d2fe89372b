import { featureMigrations } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { Actions } from '../engine/actions.js';
import type { Actor } from '../engine/actor.js';
import { World } from '../engine/world.js';
import { approvalsFor } from './approval.rules.js';
import { pastDurations } from './estimate.queries.js';
import { fingerprintOf, readEverything } from './fingerprint.queries.js';
import { dependentsOf, tablesAtRisk } from './impact.queries.js';
import { errorsOf, lint } from './linter.rules.js';
import { lossyAmong } from './lossy.queries.js';
import { draftModule } from './module-draft.rules.js';
import { newestBackup } from '../backups/open-backup.js';
import { draftEmergency, type ProvenBackups } from './emergency-draft.rules.js';
import { readKept, readPastRun } from './past-run.queries.js';
import { draftPurge } from './purge-draft.rules.js';
import { draftRestore } from './restore-draft.rules.js';
import { draftRunbook } from './runbook-draft.rules.js';
import { Runbooks } from './runbooks.service.js';
import { draftUndo } from './undo-draft.rules.js';
import { planDoc, SCHEMA_VERSION, type PlanDoc, type PlanTarget } from './plan.contract.js';
import type { PlanDraft, PlanningWorld } from './plan-draft.rules.js';
import { ControlDatabaseStays, PlanRefused } from './plan.problems.js';
import { downtimeOf, estimateOf, riskOf } from './plan-figures.rules.js';
import { stepsOf } from './plan-step.rules.js';

/** Turns what somebody wants into the steps that lead there from the state things are in. Changes nothing. */
@Injectable()
export class Planner {
  constructor(
    private readonly world: World,
    private readonly actions: Actions,
    private readonly runbooks: Runbooks,
  ) {}

  /** Throws `PlanRefused` when what came out breaks a rule of planning, also when a person wrote it. */
  async plan(by: Actor, target: PlanTarget, reason: string): Promise<PlanDoc> {
    const state = await readEverything(this.world);
    const planning: PlanningWorld = {
      domains: this.world.domains,
      catalogue: this.actions,
      state,
      migrationsOf: (domain, feature) => featureMigrations(this.world.ledgers, domain, feature),
    };
    const draft = await this.draft(planning, target);
    const doc = await this.finish(planning, draft, by, target, reason);
    const findings = lint(doc, planning);
    const errors = errorsOf(findings);
    if (errors.length > 0) throw new PlanRefused(errors);
    return { ...doc, warnings: [...doc.warnings, ...findings.map(({ message }) => message)] };
  }

  private async draft(planning: PlanningWorld, target: PlanTarget): Promise<PlanDraft> {
    const { control, runtime } = this.world;
    switch (target.kind) {
      case 'module':
        if (target.domain === 'control') throw new ControlDatabaseStays();
        return draftModule(planning, target);
      case 'runbook': {
        const { doc } = await this.runbooks.get(target.runbook, target.version);
        return draftRunbook(planning, target, doc);
      }
      case 'undo':
        return draftUndo(planning, await readPastRun(control, target.runId));
      case 'restore':
        return draftRestore(planning, target);
      case 'purge': {
        const facts = await readKept(control, target.domain);
        return draftPurge(planning, target, { ...facts, afterDays: runtime.config.PURGE_AFTER_DAYS });
      }
      case 'emergency':
        return draftEmergency(planning, target, await this.proven(target));
    }
  }

  private async proven({ domain, level }: Extract<PlanTarget, { kind: 'emergency' }>): Promise<ProvenBackups> {
    if (level !== 'E4') return { ofDomain: null, ofApplication: null };
    const [own, whole] = await Promise.all([
      domain === undefined ? undefined : newestBackup(this.world, { domains: [domain], level: 4 }),
      newestBackup(this.world, { domains: 'application', level: 4 }),
    ]);
    return { ofDomain: own?.id ?? null, ofApplication: whole?.id ?? null };
  }

  private async finish(
    planning: PlanningWorld,
    draft: PlanDraft,
    by: Actor,
    target: PlanTarget,
    reason: string,
  ): Promise<PlanDoc> {
    const steps = stepsOf(this.actions, draft.wishes);
    const touched = draft.domains.filter((name) => planning.state.domains.some(({ domain }) => domain === name));
    const moved = steps.flatMap(({ action, domain }) => (action.startsWith('migration.') ? [domain] : []));
    const lines = planning.state.domains.flatMap(({ domain, ledger }) =>
      moved.includes(domain) ? ledger.map((line) => ({ ...line, domain })) : [],
    );
    const [tables, dependents, lossy, past] = await Promise.all([
      tablesAtRisk(this.world.application, touched),
      dependentsOf(this.world.application, touched),
      lossyAmong(this.world.control, lines),
      pastDurations(
        this.world.control,
        steps.map(({ action }) => action),
      ),
    ]);
    return planDoc.parse({
      schemaVersion: SCHEMA_VERSION,
      target,
      reason,
      author: by.id,
      createdAt: new Date().toISOString(),
      fingerprint: fingerprintOf(planning.state, this.world, draft.domains),
      domains: draft.domains,
      policy: draft.policy,
      risk: riskOf(target, steps),
      dataLossRisk: draft.dataLossRisk,
      changes: draft.changes,
      impact: {
        unavailable: draft.unavailable,
        downtime: downtimeOf(target, steps),
        dependents,
        rows: tables.reduce((sum, { rows }) => sum + rows, 0),
        bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
        tables,
        notes: draft.notes,
      },
      backup: draft.backup,
      steps,
      approvals: approvalsFor(target, steps, lossy.length > 0),
      budgetS: draft.budgetS,
      targetS: draft.targetS,
      estimateS: estimateOf(steps, past),
      warnings: [...draft.warnings, ...lossy.map((name) => `${name} loses what it leaves out: only the backup has it`)],
    });
  }
}
