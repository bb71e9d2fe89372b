import { randomUUIDv7 } from 'node:crypto';
import { join } from 'node:path';
import { AuditTrail, inTransaction, Problem, SamePerson, violates } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { acknowledged } from '../actions/live-process.queries.js';
import { insertBackup } from '../backups/backup.queries.js';
import { auditActor, type Actor } from '../engine/actor.js';
import { preempt } from '../engine/preempt.js';
import { World } from '../engine/world.js';
import type { PlanDoc, PlanTarget, PlanView } from '../plans/plan.contract.js';
import { hashOfDocument } from '../plans/plan-hash.rules.js';
import { ConfirmMismatch, MachinesNeverApprove } from '../plans/plan.problems.js';
import { Planner } from '../plans/planner.service.js';
import { checkFreshSignIn, checkReason, Plans, type Transact } from '../plans/plans.service.js';
import type { RunView } from '../runs/run.contract.js';
import { RunReader } from '../runs/run-reader.service.js';
import { Runs } from '../runs/runs.service.js';
import type { EmergencyView, NewEmergency } from './emergency.contract.js';
import { AlreadyRatified, EmergencyNotFound } from './emergency.problems.js';
import { agreedPlan, emergencyAtWork, runsAs } from './emergency.queries.js';
import { OverlayStop, type Stopped } from './overlay-stop.service.js';

type EmergencyTarget = Extract<PlanTarget, { kind: 'emergency' }>;
type Rest = Pick<EmergencyView, 'joined' | 'run' | 'plan' | 'problem'>;

/** A live process takes a second when nobody tells it. */
const OBEYED_WITHIN_MS = 2_000;

/**
 * Everything off first, and only then whatever takes longer: one person with a reason, whom a second one ratifies. It
 * needs no flag server, and for its first act no application database either.
 */
@Injectable()
export class Emergencies {
  constructor(
    private readonly world: World,
    private readonly overlay: OverlayStop,
    private readonly planner: Planner,
    private readonly plans: Plans,
    private readonly runs: Runs,
    private readonly reader: RunReader,
    private readonly trail: AuditTrail,
  ) {}

  /**
   * Switches off, waits until the processes obey, and has a run do the rest. Asked again with the same key it goes on
   * where it was: the switching off is done once, and so is the run. Throws `confirm-mismatch`, `reason-too-short`,
   * `target-unknown`, `not-gated`; whatever fails later is told in the answer, with the flags off.
   */
  async declare(by: Actor, wanted: NewEmergency, transact: Transact): Promise<EmergencyView> {
    const { level, reason, confirm } = wanted;
    const module = 'module' in wanted ? (wanted.module ?? null) : null;
    const environment = this.world.runtime.config.NODE_ENV;
    if (confirm !== environment) throw new ConfirmMismatch(environment, confirm);
    checkReason(reason);
    const flags = this.overlay.flagsOf(wanted);
    const stopped = await transact((client) =>
      this.overlay.stop(client, by, randomUUIDv7(), { level, reason: reason.trim(), flags }),
    );
    const { processes, behind, ms } = await acknowledged(
      this.world.control,
      BigInt(stopped.seq),
      performance.now() + OBEYED_WITHIN_MS,
      new AbortController().signal,
    );
    const target: EmergencyTarget = { kind: 'emergency', level, ...(module !== null && { domain: module }) };
    const rest = await this.rest(by, target, reason.trim(), stopped);
    const { emergencyId, t0 } = stopped;
    const heard = { processes, behind: behind.map(({ id, role, host, pid }) => ({ id, role, host, pid })), ms };
    return { emergencyId, level, module, t0, flags: [...stopped.flags], acknowledged: heard, ...rest };
  }

  /** A second person's word that the emergency was one. Throws `same-person` and `already-ratified`. */
  async ratify(by: Actor, runId: string, reason: string, transact: Transact): Promise<RunView> {
    checkReason(reason);
    const { NODE_ENV: environment } = this.world.runtime.config;
    const entry = { action: 'emergency.ratify', subject: `run ${runId}`, environment, reason: reason.trim(), runId };
    try {
      return await transact(async (client) => {
        const { rows } = await client.query<{ actor: string; ratifiedBy: string | null }>(
          `SELECT actor, ratified_by AS "ratifiedBy" FROM control.run WHERE id = $1 AND mode = 'emergency' FOR UPDATE`,
          [runId],
        );
        const [run] = rows;
        if (!run) throw new EmergencyNotFound(runId);
        if (by.kind !== 'person') throw new MachinesNeverApprove();
        if (run.actor === by.id)
          throw new SamePerson('Whoever declared an emergency does not ratify it.', { id: runId });
        if (run.ratifiedBy !== null) throw new AlreadyRatified(runId, run.ratifiedBy);
        if (environment === 'production') checkFreshSignIn(by);
        await client.query(`UPDATE control.run SET ratified_by = $2, ratified_at = clock_timestamp() WHERE id = $1`, [
          runId,
          by.id,
        ]);
        await this.trail.append({ actor: auditActor(by), ...entry, outcome: 'ratified' }, client);
        return this.reader.get(runId, client);
      });
    } catch (error) {
      if (error instanceof Problem && error.kind === 'forbidden')
        await this.trail.append({ actor: auditActor(by), ...entry, outcome: `denied: ${error.slug}` });
      throw error;
    }
  }

  private async rest(by: Actor, target: EmergencyTarget, reason: string, stopped: Stopped): Promise<Rest> {
    try {
      return await this.carryOn(by, target, reason, stopped);
    } catch (error) {
      this.world.runtime.log.error({ err: error, emergencyId: stopped.emergencyId }, 'emergency has no run');
      const problem = error instanceof Problem ? `${error.slug}: ${error.detail}` : 'the run could not be planned';
      return { joined: false, run: null, plan: null, problem };
    }
  }

  private async carryOn(by: Actor, target: EmergencyTarget, reason: string, stopped: Stopped): Promise<Rest> {
    const { emergencyId: runId } = stopped;
    const { control } = this.world;
    if (await runsAs(control, runId)) return this.at(runId, false);
    const before = await emergencyAtWork(control, target.level);
    if (before !== undefined) return this.at(before, true);
    const agreed = target.level === 'E4' ? await this.agreed(by, target, reason) : undefined;
    if (agreed && 'missing' in agreed) return { joined: false, run: null, plan: agreed, problem: null };
    const plan = agreed ?? (await this.planned(by, target, reason));
    try {
      const atWork = await inTransaction(control, (client) => this.begin(client, by, plan, runId, reason));
      return await this.at(atWork ?? runId, atWork !== undefined);
    } catch (error) {
      // Somebody asked for the same at the same moment.
      if (!violates(error, 'run_pkey') && !violates(error, 'run_is_alone_in_its_scope')) throw error;
      const other = (await runsAs(control, runId)) ? runId : await emergencyAtWork(control, target.level);
      if (other === undefined) throw error;
      return this.at(other, other !== runId);
    }
  }

  /** Takes the scope from whatever is at work and queues the run; answers the emergency that was there before. */
  private async begin(
    client: pg.ClientBase,
    by: Actor,
    { id, doc, stored }: EmergencyPlan,
    runId: string,
    reason: string,
  ): Promise<string | undefined> {
    const { control, runtime } = this.world;
    const environment = runtime.config.NODE_ENV;
    await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('belay.emergency', 0))`);
    const { target } = doc;
    const atWork = target.kind === 'emergency' ? await emergencyAtWork(client, target.level) : undefined;
    if (atWork !== undefined) return atWork;
    await preempt(client, control, this.trail, { by, scope: 'live', reason, environment });
    if (stored) await client.query(`UPDATE control.plan SET state = 'used' WHERE id = $1`, [id]);
    else await insertUsedPlan(client, by, id, doc);
    await this.runs.queue(client, by, { id, doc }, { runId, reason });
    await this.backUp(client, by, runId, doc);
    return undefined;
  }

  /** In the background: nothing waits for it. */
  private async backUp(client: pg.ClientBase, by: Actor, runId: string, { target }: PlanDoc): Promise<void> {
    const id = randomUUIDv7();
    const domain = target.kind === 'emergency' ? target.domain : undefined;
    const known = domain !== undefined && this.world.ledgers.some((ledger) => ledger.domain === domain);
    await insertBackup(client, {
      id,
      scope: known ? { kind: 'domains', domains: [domain] } : { kind: 'application' },
      location: join(this.world.runtime.config.BACKUP_DIR, id),
      runId,
      requestedBy: by.id,
      wanted: 1,
    });
  }

  /** The plan that a second person has agreed to, or one for them to agree to. */
  private async agreed(by: Actor, target: EmergencyTarget, reason: string): Promise<EmergencyPlan | PlanView> {
    const known = await agreedPlan(this.world.control, target);
    if (known === undefined) return this.plans.create(by, target, reason);
    const { id, doc } = await this.plans.load(known);
    return { id, doc, stored: true };
  }

  private async planned(by: Actor, target: EmergencyTarget, reason: string): Promise<EmergencyPlan> {
    const doc = await this.planner.plan(by, target, reason);
    return { id: hashOfDocument(doc), doc, stored: false };
  }

  private async at(runId: string, joined: boolean): Promise<Rest> {
    return { joined, run: await this.reader.get(runId), plan: null, problem: null };
  }
}

interface EmergencyPlan {
  readonly id: string;
  readonly doc: PlanDoc;
  readonly stored: boolean;
}

/** Without the checks of planning: the critical ones are made by the executor, before its first effect. */
async function insertUsedPlan(client: pg.ClientBase, by: Actor, id: string, doc: PlanDoc): Promise<void> {
  await client.query(
    `INSERT INTO control.plan (id, kind, doc, risk, fingerprint, reason, state, created_by, created_at, expires_at)
     VALUES ($1, 'emergency', $2, $3, $4, $5, 'used', $6, $7, clock_timestamp() + interval '30 minutes')`,
    [id, JSON.stringify(doc), doc.risk, doc.fingerprint, doc.reason, by.id, doc.createdAt],
  );
}
