import { Listener, openPool, within, type AuditTrail } from '@belay/platform';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Checks } from '../checks/checks.js';
import { hashOfDocument } from '../plans/plan-hash.rules.js';
import type { Actions } from './actions.js';
import { factsOf } from './error-facts.js';
import { endSessions } from './fence.js';
import { Journal } from './journal.js';
import type { JsonObject } from './json.js';
import type { JournalObserver } from './journal-point.js';
import {
  acquireLease,
  HEARTBEAT_MS,
  keepLease,
  LEASE_TTL_MS,
  LeaseLost,
  releaseLease,
  type Lease,
  type Scope,
} from './lease.js';
import type { LiveRun, Timing } from './live-run.js';
import { RunExecutor } from './run-executor.js';
import { nextRun, planOf, runIn, stepsOf, type RunRow } from './run.queries.js';
import type { RunState } from './state.rules.js';
import { closeDoors, takeRun } from './takeover.js';
import type { World } from './world.js';

export interface ExecutorParts {
  readonly world: World;
  readonly actions: Actions;
  readonly checks: Pick<Checks, 'run'>;
  readonly audit: AuditTrail;
  readonly timing?: Partial<Timing>;
  /** Told of every point of the journal that is passed; for whoever wants to see what happens there. */
  readonly observe?: JournalObserver;
}

const scopes = ['live', 'drill'] as const;
const usual: Timing = { leaseTtlMs: LEASE_TTL_MS, heartbeatMs: HEARTBEAT_MS, pollMs: 1_000 };
/** Whoever has lost the lease may take this long to notice; then it is left to itself, and refused wherever it comes. */
const ABANDONED_MS = 8_000;
/** Between two runs. */
const BREATH_MS = 20;
/** How soon a lease is asked for again that another holds: it may be of one who died. */
const HELD_MS = 200;

class Ending extends Error {
  override readonly name = 'Ending';
}

/**
 * Carries runs out, one at a time in each scope, as soon as they are asked for. Any number of hosts may stand by, in
 * workers and in the command line: the lease decides who works, and whoever gets it next goes on where the last one was.
 */
export class ExecutorHost implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #timing: Timing;
  readonly #log: Logger;
  readonly #listener: Listener;
  /** For leases alone: a heartbeat waits behind nothing. */
  readonly #leases: pg.Pool;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<() => void>();
  #loops: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(private readonly parts: ExecutorParts) {
    const { runtime, targets } = parts.world;
    this.#timing = { ...usual, ...parts.timing };
    this.#log = runtime.log;
    this.#listener = new Listener(targets.controlUrl, 'belay-executor-listener');
    this.#leases = openPool(targets.controlUrl, {
      max: 3,
      statementTimeoutMs: 2_000,
      lockTimeoutMs: 2_000,
      queryTimeoutMs: 2_000,
      applicationName: 'belay-executor-lease',
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  async start(): Promise<void> {
    const ring = () => {
      this.ring();
    };
    this.#loops = Promise.all(scopes.map((scope) => this.work(scope)));
    await this.#listener.listen('control_run', ring, ring);
  }

  /** Ends within seconds: a step under way is broken off and left to whoever takes over. */
  async stop(): Promise<void> {
    this.#stopped ??= this.end();
    await this.#stopped;
  }

  private async end(): Promise<void> {
    this.#closing.abort(new Ending());
    this.ring();
    await this.#loops;
    await this.#listener.close();
    await this.#leases.end();
  }

  private ring(): void {
    for (const wake of this.#waiting) wake();
  }

  private async rings(ms: number): Promise<void> {
    if (this.#closing.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }

  private async work(scope: Scope): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        const pause = await this.turn(scope);
        if (pause > 0) await this.rings(pause);
      } catch (error) {
        this.#log.warn({ err: error, scope }, 'executor turn failed');
        await this.rings(this.#timing.pollMs);
      }
    }
  }

  /** Answers how long to wait, at most, before the next turn. */
  private async turn(scope: Scope): Promise<number> {
    const { processId } = this.parts.world.runtime;
    const { leaseTtlMs: ttlMs, pollMs } = this.#timing;
    await this.closeWatched(scope);
    const runId = await nextRun(this.#leases, scope);
    if (runId === undefined) return pollMs;
    const lease = await acquireLease(this.#leases, scope, processId, { purpose: 'run', runId, ttlMs });
    if (!lease) return Math.min(HELD_MS, pollMs);
    await this.hold(lease, runId);
    return BREATH_MS;
  }

  private async hold(lease: Lease, runId: string): Promise<void> {
    const { leaseTtlMs: ttlMs, heartbeatMs } = this.#timing;
    const lost = new AbortController();
    const lose = () => {
      lost.abort(new LeaseLost(lease.scope));
    };
    const keeping = keepLease(this.#leases, lease, lose, { ttlMs, heartbeatMs });
    const signal = AbortSignal.any([lost.signal, this.#closing.signal]);
    try {
      await Promise.race([this.carry(lease, runId, signal), abandoned(signal)]);
    } catch (error) {
      if (!signal.aborted && !(error instanceof LeaseLost)) throw error;
      if (!this.#closing.signal.aborted) await within(this.pauseLost(lease, runId), ABANDONED_MS);
    } finally {
      keeping.stop();
      await releaseLease(this.#leases, lease).catch(() => undefined);
    }
  }

  private async carry(lease: Lease, runId: string, signal: AbortSignal): Promise<void> {
    const { world } = this.parts;
    await closeDoors(world, lease, runId);
    const run = await takeRun(world, lease, runId);
    if (!run) return;
    const live = await this.open(run, signal);
    if (live) await new RunExecutor(live).carry();
    else await this.refuse(run);
    await endSessions(world, run.id).catch(() => undefined);
    if (run.mode === 'emergency') await this.reconcilePreempted(lease, signal);
  }

  /** Undefined when this build cannot read the plan, or it is not the one that was approved. */
  private async open(run: RunRow, signal: AbortSignal): Promise<LiveRun | undefined> {
    const { world, actions, checks, observe = () => Promise.resolve() } = this.parts;
    const plan = await planOf(world.control, run.planId);
    if (!plan || hashOfDocument(plan) !== run.planId) return undefined;
    const steps = await stepsOf(world.control, run.id);
    const known = steps.every(({ action, version }) => actions.find(action, version));
    if (!known) return undefined;
    const journal = this.journal(run, steps);
    const rings = (ms: number) => this.rings(ms);
    return { world, actions, checks, journal, plan, run, steps, log: this.#log, signal, rings, observe };
  }

  private journal(run: RunRow, steps: Awaited<ReturnType<typeof stepsOf>>): Journal {
    const { world, audit } = this.parts;
    return new Journal(world.control, audit, world.runtime.config.NODE_ENV, run, steps);
  }

  /** Nothing of it is carried out by this build: a person may have another build go on, or end what was not begun. */
  private async refuse(run: RunRow): Promise<void> {
    const steps = await stepsOf(this.parts.world.control, run.id);
    const journal = this.journal(run, steps);
    const move = (to: RunState, type: string, payload: JsonObject = {}) =>
      journal.write({ run: { to, pausedFor: 'inconclusive' }, events: [{ type, payload }] });
    const begun = steps.some(({ state }) => state !== 'pending' && state !== 'previewed' && state !== 'skipped');
    if (run.wish === 'cancel' && !begun) {
      await move('cancelled', 'run.cancelled', { by: run.wishBy });
      return;
    }
    if (run.state === 'queued') await move('running', 'run.started');
    if (run.state === 'paused') await move(run.pausedFrom ?? 'running', 'run.resumed', { by: run.wishBy });
    const message = 'this build cannot read the plan, or it is not the one that was approved';
    await move('paused', 'run.paused', { for: 'inconclusive', message });
  }

  /** After the emergency, which waits for nothing: the step that a pre-empted run was at is brought to a known state. */
  private async reconcilePreempted(lease: Lease, signal: AbortSignal): Promise<void> {
    const { control } = this.parts.world;
    const { rows } = await control.query<{ id: string }>(
      `SELECT r.id FROM control.run r
       WHERE r.scope = $1 AND r.state = 'paused' AND r.paused_for = 'preempted' AND EXISTS (
         SELECT FROM control.run_step s WHERE s.run_id = r.id AND s.state IN ('running', 'effect-unknown'))`,
      [lease.scope],
    );
    for (const { id } of rows) {
      const run = await takeRun(this.parts.world, lease, id);
      const live = run && (await this.open(run, signal));
      if (live) await new RunExecutor(live).reconcile();
    }
  }

  /** Says so as long as nobody else has taken over; the next turn goes on. */
  private async pauseLost({ epoch }: Lease, runId: string): Promise<void> {
    const { control } = this.parts.world;
    try {
      const run = await runIn(control, runId);
      if (run?.epoch !== epoch || (run.state !== 'running' && run.state !== 'verifying')) return;
      const events = [{ type: 'run.paused', payload: { for: 'lost-lease' } }];
      await this.journal(run, []).write({ run: { to: 'paused', pausedFor: 'lost-lease' }, events });
    } catch (error) {
      this.#log.info({ runId, error: factsOf(error) }, 'lost lease not noted');
    }
  }

  /** Whoever was watched long enough without a complaint is done. */
  private async closeWatched(scope: Scope): Promise<void> {
    const { control } = this.parts.world;
    const { rows } = await this.#leases.query<{ id: string }>(
      `SELECT id FROM control.run WHERE scope = $1 AND state = 'monitoring' AND monitor_until <= clock_timestamp()`,
      [scope],
    );
    for (const { id } of rows) {
      const run = await runIn(control, id);
      if (run?.state !== 'monitoring') continue;
      // Two who want the same: the second finds it closed.
      await this.journal(run, await stepsOf(control, id))
        .write({ run: { to: 'closed' }, events: [{ type: 'run.closed', payload: {} }] })
        .catch((error: unknown) => {
          if (!(error instanceof LeaseLost)) throw error;
        });
    }
  }
}

/** Rejects some time after the abort, when whoever was told to end has not. */
function abandoned(signal: AbortSignal): Promise<never> {
  const rejected = new Promise<never>((_resolve, reject) => {
    const onAbort = () => {
      setTimeout(() => {
        reject(new Error('abandoned', { cause: signal.reason }));
      }, ABANDONED_MS).unref();
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  rejected.catch(() => undefined);
  return rejected;
}
