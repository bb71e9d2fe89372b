import { setTimeout as sleep } from 'node:timers/promises';
import { AuditTrail, enabledDomains, inTransaction, Problem, type Probe } from '@belay/platform';
import { Injectable, type INestApplicationContext } from '@nestjs/common';
import type pg from 'pg';
import { Checks } from '../checks/checks.js';
import { Actions } from '../engine/actions.js';
import { auditActor, hostActor, system, type Actor } from '../engine/actor.js';
import { ExecutorHost } from '../engine/executor-host.js';
import { runIn } from '../engine/run.queries.js';
import { World } from '../engine/world.js';
import { gatesOf } from '../plans/domain-order.rules.js';
import type { PlanTarget, PlanView } from '../plans/plan.contract.js';
import { Plans, type Transact } from '../plans/plans.service.js';
import { Runbooks } from '../plans/runbooks.service.js';
import { Runs } from '../runs/runs.service.js';
import type { BackupManifest, RequestedDrill } from './backup.contract.js';
import { DrillGround } from './drill-ground.js';
import { composeDrill } from './drill.module.js';
import { proveRestored } from './proof.js';

const TIMER = 'runbook drill ';
const REASON = 'a drill of the runbook on copies of the databases';
/** How many people a plan may want to hear, at most. */
const MOST_APPROVALS = 3;
const settled = ['monitoring', 'closed', 'paused', 'compensated', 'manual', 'cancelled'];

export interface DrillResult {
  readonly runbook: string;
  readonly version: number;
  readonly ok: boolean;
  /** Of the way down alone, which is what the budget is for. */
  readonly ms: number;
  readonly budgetS: number;
  /** Why it did not come off; nothing when it did. */
  readonly findings: readonly string[];
}

/** Runs whole runbooks, and back again, on copies of both databases: with the same plans, checks and executor as in earnest. */
@Injectable()
export class RunbookDrills {
  constructor(
    private readonly world: World,
    private readonly runbooks: Runbooks,
    private readonly trail: AuditTrail,
  ) {}

  /** To be carried out by whoever looks for work next, and every three months from then on. */
  async request(control: pg.ClientBase, by: Actor, id: string): Promise<RequestedDrill> {
    const { version } = await this.runbooks.get(id);
    const { rows } = await control.query<{ dueAt: Date }>(
      `INSERT INTO control.timer (name, due_at, facts) VALUES ($1, clock_timestamp(), $2)
       ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at, facts = excluded.facts RETURNING due_at AS "dueAt"`,
      [`${TIMER}${id}`, JSON.stringify({ by: by.id })],
    );
    await this.trail.append(
      {
        actor: auditActor(by),
        action: 'runbook.drill',
        subject: `runbook ${id} version ${version}`,
        environment: this.world.runtime.config.NODE_ENV,
        outcome: 'requested',
      },
      control,
    );
    return { runbook: id, version, dueAt: rows[0]?.dueAt.toISOString() ?? '' };
  }

  /** Carries out what is due, the newest version of each; what the servers did not allow is tried again in an hour. */
  async carryOutDue(signal?: AbortSignal): Promise<readonly DrillResult[]> {
    const { rows } = await this.world.control.query<{ id: string }>(
      `UPDATE control.timer SET due_at = clock_timestamp() + interval '3 months'
       WHERE starts_with(name, $1) AND due_at <= clock_timestamp() RETURNING substr(name, length($1) + 1) AS id`,
      [TIMER],
    );
    const results: DrillResult[] = [];
    for (const { id } of rows) {
      try {
        results.push(await this.drill(id, undefined, signal));
      } catch (error) {
        this.world.runtime.log.error({ err: error, runbook: id }, 'a drill could not be carried out');
        await this.world.control.query(
          `UPDATE control.timer SET due_at = clock_timestamp() + interval '1 hour' WHERE name = $1`,
          [`${TIMER}${id}`],
        );
      }
    }
    return results;
  }

  /** Keeps how it came off. What is wrong with the runbook is a finding; what is wrong with the servers is thrown. */
  async drill(id: string, wanted?: number, signal?: AbortSignal): Promise<DrillResult> {
    const { version, doc, budgetS } = await this.runbooks.get(id, wanted);
    const optional = doc.steps.filter((step) => step.optional).map(({ key }) => key);
    const target = { kind: 'runbook', runbook: id, version, with: optional, params: {} } as const;
    const ground = await DrillGround.lay(this.world, signal);
    let outcome;
    try {
      outcome = await new Drill(ground, budgetS, signal).carry(target);
    } finally {
      await ground.clear();
    }
    const ok = outcome.findings.length === 0;
    await this.runbooks.drilled(id, version, { ok, ms: outcome.ms });
    await this.trail.append({
      actor: auditActor(system),
      action: 'runbook.drill',
      subject: `runbook ${id} version ${version}`,
      environment: this.world.runtime.config.NODE_ENV,
      reason: outcome.findings.join('; ') || null,
      outcome: ok ? 'done' : 'failed',
    });
    return { runbook: id, version, ok, ...outcome, budgetS };
  }
}

class Drill {
  readonly #findings: string[] = [];

  constructor(
    private readonly ground: DrillGround,
    private readonly budgetS: number,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async carry(target: PlanTarget): Promise<{ ms: number; findings: readonly string[] }> {
    const { world } = this.ground;
    const context = await composeDrill(world);
    const host = new ExecutorHost({
      world,
      actions: context.get(Actions),
      checks: context.get(Checks),
      audit: context.get(AuditTrail),
    });
    await host.start();
    try {
      const began = performance.now();
      const run = await this.run(context, target);
      const ms = performance.now() - began;
      if (ms > this.budgetS * 1_000) this.#findings.push(`took ${Math.round(ms / 1_000)} s of ${this.budgetS} s`);
      if (run) await this.lookAndGoBack(context, run);
      return { ms, findings: this.#findings };
    } finally {
      await host.stop();
      await context.close();
    }
  }

  private async lookAndGoBack(context: INestApplicationContext, run: { id: string; plan: PlanView }): Promise<void> {
    const { domains } = run.plan.doc;
    await this.ask(domains, ['off', 'fallback']);
    if (!(await this.run(context, { kind: 'undo', runId: run.id }))) return;
    await this.ask([], ['on'], domains);
    const { backup, side, world } = this.ground;
    const found = await proveRestored(world, { manifest: partOf(backup.manifest, domains) }, side);
    this.#findings.push(...found.map(({ subject, problem }) => `after going back: ${subject} ${problem}`));
  }

  /** Undefined when it did not come to its end. */
  private async run(
    context: INestApplicationContext,
    target: PlanTarget,
  ): Promise<{ id: string; plan: PlanView } | undefined> {
    try {
      return await this.carryOut(context, target);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#findings.push(`${target.kind}: ${error.detail}`);
      return undefined;
    }
  }

  private async carryOut(
    context: INestApplicationContext,
    target: PlanTarget,
  ): Promise<{ id: string; plan: PlanView } | undefined> {
    const plans = context.get(Plans);
    let plan = await plans.create(hostActor('drill'), target, REASON);
    for (let voter = 1; plan.state === 'awaiting-approval' && voter <= MOST_APPROVALS; voter++) {
      plan = await plans.decide(voterOf(voter), plan.id, { decision: 'approve', reason: REASON });
    }
    if (plan.state !== 'approved') {
      const against = plan.checks.filter(({ outcome }) => outcome !== 'pass');
      this.#findings.push(`${target.kind} is ${plan.state}: ${against.map((check) => check.id).join(', ')}`);
      return undefined;
    }
    const { id } = await context.get(Runs).request(hostActor('drill'), plan.id, REASON, this.inDrill);
    const state = await this.settle(id);
    if (state === 'monitoring' || state === 'closed') return { id, plan };
    this.#findings.push(`${target.kind} ended ${state}`);
    return undefined;
  }

  /** The run is of the drill's scope from the moment it exists. */
  private readonly inDrill: Transact = (work) =>
    inTransaction(this.ground.world.control, async (client) => {
      const result = await work(client);
      await client.query(`UPDATE control.run SET scope = 'drill', mode = CASE mode WHEN 'normal' THEN 'drill' ELSE mode END
                          WHERE state = 'queued'`);
      return result;
    });

  private async settle(runId: string): Promise<string> {
    const until = performance.now() + (2 * this.budgetS + 60) * 1_000;
    for (;;) {
      this.signal?.throwIfAborted();
      const run = await runIn(this.ground.world.control, runId);
      const waits = await this.waitsForSomebody(runId);
      if (run && (settled.includes(run.state) || waits)) return waits ? 'waiting for a person' : run.state;
      if (performance.now() > until) return 'nowhere in time';
      await sleep(50);
    }
  }

  private async waitsForSomebody(runId: string): Promise<boolean> {
    const { rowCount } = await this.ground.world.control.query(
      `SELECT FROM control.run_step WHERE run_id = $1 AND state = 'waiting' AND waits_for = 'human'`,
      [runId],
    );
    return rowCount !== 0;
  }

  /** What an API says that has the domains which are left, as every API would after the flags went off. */
  private async ask(off: readonly string[], states: readonly ('off' | 'fallback' | 'on')[], of = off): Promise<void> {
    const { world, side } = this.ground;
    const probes = world.domains
      .filter(({ name }) => of.includes(name))
      .flatMap(({ runbook }) => states.flatMap((state): readonly Probe[] => runbook?.probes[state] ?? []));
    const asked = probes.filter((probe) => probe.kind === 'http');
    if (asked.length === 0 || !world.stages) return;
    const gone = new Set(world.domains.filter(({ name }) => off.includes(name)).flatMap(gatesOf));
    const stage = await world.stages.boot(
      side.url,
      enabledDomains(world.domains, (flag) => !gone.has(flag)),
    );
    try {
      for (const { name, method, path, status, code } of asked) {
        const answer = await stage.ask(method, path);
        if (answer.status === status && (code === undefined || answer.code === code)) continue;
        this.#findings.push(`${name}: ${method} ${path} answered ${answer.status} ${answer.code ?? ''}`.trim());
      }
    } finally {
      await stage.close();
    }
  }
}

/** On copies nobody is at risk, and nobody is asked. */
function voterOf(number: number): Actor {
  return { ...hostActor(`drill-${number}`), kind: 'person', authTime: Math.floor(Date.now() / 1_000) };
}

/** What the manifest says of these domains. */
function partOf(manifest: BackupManifest, domains: readonly string[]): BackupManifest {
  const own = (domain: string) => domains.includes(domain);
  const schemas = new Set(domains.flatMap((domain) => [domain, `${domain}__parked`]));
  return {
    ...manifest,
    domains: manifest.domains.filter(own),
    tables: manifest.tables.filter(({ domain }) => own(domain)),
    catalogs: manifest.catalogs.filter(({ domain }) => own(domain)),
    sequences: manifest.sequences.filter(({ schema }) => schemas.has(schema)),
  };
}
