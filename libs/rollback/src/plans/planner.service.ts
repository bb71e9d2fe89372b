import { Injectable } from '@nestjs/common';
import { Actions } from '../engine/actions.js';
import type { Actor } from '../engine/actor.js';
import { World } from '../engine/world.js';
import { approvalsFor } from './approval.rules.js';
import { pastDurations } from './estimate.queries.js';
import { fingerprintOf, readEverything } from './fingerprint.queries.js';
import { dependentsOf, tablesAtRisk } from './impact.queries.js';
import { errorsOf, lint } from './linter.rules.js';
import { draftModule } from './module-draft.rules.js';
import { planDoc, SCHEMA_VERSION, type PlanDoc, type PlanTarget } from './plan.contract.js';
import type { PlanDraft, PlanningWorld } from './plan-draft.rules.js';
import { PlanRefused } from './plan.problems.js';
import { estimateOf, riskOf } from './plan-figures.rules.js';
import { stepsOf } from './plan-step.rules.js';

/** Turns what somebody wants into the steps that lead there from the state things are in. Changes nothing. */
@Injectable()
export class Planner {
  constructor(
    private readonly world: World,
    private readonly actions: Actions,
  ) {}

  /** Throws `PlanRefused` when what came out breaks a rule of planning, also when a person wrote it. */
  async plan(by: Actor, target: PlanTarget, reason: string): Promise<PlanDoc> {
    const state = await readEverything(this.world);
    const planning = { domains: this.world.domains, catalogue: this.actions, state };
    const draft = await this.draft(planning, target);
    const doc = await this.finish(planning, draft, by, target, reason);
    const findings = lint(doc, planning);
    const errors = errorsOf(findings);
    if (errors.length > 0) throw new PlanRefused(errors);
    return { ...doc, warnings: [...doc.warnings, ...findings.map(({ message }) => message)] };
  }

  private async draft(planning: PlanningWorld, target: PlanTarget): Promise<PlanDraft> {
    switch (target.kind) {
      case 'module':
        return draftModule(planning, target);
      default:
        throw new Error(`Nobody plans ${target.kind}`);
    }
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
    const [tables, dependents, past] = await Promise.all([
      tablesAtRisk(this.world.application, touched),
      dependentsOf(this.world.application, touched),
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
        dependents,
        rows: tables.reduce((sum, { rows }) => sum + rows, 0),
        bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
        tables,
        notes: draft.notes,
      },
      backup: draft.backup,
      steps,
      approvals: approvalsFor(target, steps),
      budgetS: draft.budgetS,
      targetS: draft.targetS,
      estimateS: estimateOf(steps, past),
      warnings: draft.warnings,
    });
  }
}
