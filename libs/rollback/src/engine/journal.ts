import { createHash } from 'node:crypto';
import { inTransaction, type AuditTrail, type NewAuditEntry } from '@belay/platform';
import canonicalize from 'canonicalize';
import type pg from 'pg';
import { IllegalTransition } from '../rollback.problems.js';
import type { JsonObject } from './json.js';
import { LeaseLost } from './lease.js';
import type { RunRow, StepRow } from './run.queries.js';
import { isAllowed, type RunState, type StepState } from './state.rules.js';

/** What watchers are told. Its number is one higher than that of the one before, always. */
export interface RunEvent {
  readonly type: string;
  readonly payload: JsonObject;
}

export interface RunMove {
  readonly to: RunState;
  readonly pausedFor?: RunRow['pausedFor'];
  /** Into `result`, beside what is there. */
  readonly result?: JsonObject;
  /** How long it is watched afterwards, in seconds. */
  readonly watchedS?: number;
  /** In whose name, when a person wished it. */
  readonly by?: string | null;
}

export interface StepMove {
  readonly step: StepRow;
  readonly to: StepState;
  readonly set?: Partial<
    Pick<StepRow, 'attempt' | 'before' | 'request' | 'after' | 'result' | 'error' | 'waitsFor' | 'skipReason'>
  >;
  /** Seconds from now. */
  readonly deadlineS?: number;
  readonly by?: string | null;
}

export interface Entry {
  readonly run?: RunMove;
  readonly step?: StepMove;
  readonly events?: readonly RunEvent[];
}

/** Beginnings and ends; what lies between them is told by events only. */
const audited = new Set<StepState>([
  'running',
  'effect-done',
  'failed',
  'skipped',
  'compensating',
  'compensated',
  'compensation-failed',
]);

const touchRun = `UPDATE control.run SET last_event = last_event + $3 WHERE id = $1 AND epoch = $2 RETURNING last_event`;
const moveRun = `
  UPDATE control.run
  SET last_event = last_event + $3, state = $5, paused_for = $6, paused_from = $7, wish = NULL, wish_by = NULL, wish_reason = NULL,
      started_at = CASE WHEN $5 = 'running' THEN coalesce(started_at, clock_timestamp()) ELSE started_at END,
      finished_at = CASE WHEN $5 IN ('monitoring', 'compensated', 'manual', 'cancelled')
                         THEN clock_timestamp() ELSE finished_at END,
      monitor_until = CASE WHEN $5 = 'monitoring' THEN clock_timestamp() + $8 * interval '1 s' ELSE monitor_until END,
      result = result || $9::jsonb
  WHERE id = $1 AND epoch = $2 AND state = $4
  RETURNING last_event`;
const moveStep = `
  UPDATE control.run_step
  SET state = $5, attempt = $6, epoch = $3, before = $7, request = $8, after = $9, result = $10, error = $11, waits_for = $12,
      skip_reason = $13, wish = NULL, wish_by = NULL, wish_facts = NULL,
      deadline = CASE WHEN $14::float8 IS NULL THEN deadline ELSE clock_timestamp() + $14 * interval '1 s' END,
      started_at = CASE WHEN $5 = 'running' THEN coalesce(started_at, clock_timestamp()) ELSE started_at END,
      finished_at = CASE WHEN $5 IN ('verified', 'skipped', 'compensated', 'compensation-failed') THEN clock_timestamp()
                         ELSE finished_at END
  WHERE run_id = $1 AND idx = $2 AND state = $4 AND EXISTS (SELECT FROM control.run WHERE id = $1 AND epoch = $3)`;
const tell = `
  INSERT INTO control.run_event (run_id, seq, type, payload)
  SELECT $1, $2::bigint + place, event->>'type', event->'payload'
  FROM jsonb_array_elements($3::jsonb) WITH ORDINALITY AS one(event, place)`;

/**
 * What a run has done and is about to do. Each entry is one transaction: the states, the events and the words of the audit
 * trail are there together or not at all, and only while the run has the epoch of whoever writes.
 */
export class Journal {
  #last: Promise<unknown> = Promise.resolve();
  #percent: number;

  constructor(
    private readonly control: pg.Pool,
    private readonly audit: AuditTrail,
    private readonly environment: string,
    /** As it stands in the journal: follows what is written. */
    readonly run: RunRow,
    readonly steps: readonly StepRow[],
  ) {
    this.#percent = run.percent;
  }

  /** Never falls. */
  get percent(): number {
    const done = this.steps.filter(({ state }) => state === 'verified' || state === 'skipped').length;
    const ended = this.run.state === 'monitoring' || this.run.state === 'closed';
    // The last one is for whoever has looked that all is well.
    const now = ended ? 100 : Math.min(99, Math.floor((100 * done) / Math.max(1, this.steps.length)));
    this.#percent = Math.max(this.#percent, now);
    return this.#percent;
  }

  /**
   * Throws `LeaseLost` when the run has another epoch, and `IllegalTransition`, which the audit trail remembers, when a
   * move is not in the table. Any other error leaves open whether it was written.
   */
  write(entry: Entry): Promise<void> {
    const written = this.#last.then(() => this.commit(entry));
    this.#last = written.catch(() => undefined);
    return written;
  }

  private async commit(entry: Entry): Promise<void> {
    const { run, step } = entry;
    if (run) await this.check('run', isAllowed('run', this.run.state, run.to), this.run.state, run.to);
    if (step) await this.check('step', isAllowed('step', step.step.state, step.to), step.step.state, step.to);
    await inTransaction(this.control, (client) => this.inside(client, entry));
    this.follow(entry);
  }

  private async check(machine: 'run' | 'step', allowed: boolean, from: string, to: string): Promise<void> {
    if (allowed) return;
    await this.audit.append({
      ...this.words('illegal-transition', `${machine}: ${from} to ${to}`),
      outcome: 'refused',
    });
    throw new IllegalTransition(machine, from, to);
  }

  private async inside(client: pg.ClientBase, { run, step, events = [] }: Entry): Promise<void> {
    const { id, epoch, scope, state } = this.run;
    const told = this.toldAfter(run, step, events);
    const { rows } = run
      ? await client.query<{ last_event: string }>(moveRun, [
          id,
          epoch,
          told.length,
          state,
          run.to,
          run.to === 'paused' ? (run.pausedFor ?? 'human') : null,
          run.to === 'paused' ? state : null,
          run.watchedS ?? 0,
          JSON.stringify(run.result ?? {}),
        ])
      : await client.query<{ last_event: string }>(touchRun, [id, epoch, told.length]);
    const [row] = rows;
    if (!row) throw new LeaseLost(scope);
    if (step) await this.insideStep(client, step);
    if (told.length > 0)
      await client.query(tell, [id, BigInt(row.last_event) - BigInt(told.length), JSON.stringify(told)]);
    if (run) await this.audit.append(this.words(`run.${run.to}`, id, run.by), client);
    if (step && audited.has(step.to)) {
      const { result, error } = { ...step.step, ...step.set };
      const digests = { beforeDigest: digest(step.step.before), afterDigest: digest(result) };
      const subject = `${step.step.idx} ${step.step.action}`;
      const outcome = error && step.to === 'failed' ? 'failed' : 'done';
      await this.audit.append({ ...this.words(`step.${step.to}`, subject, step.by), ...digests, outcome }, client);
    }
  }

  private async insideStep(client: pg.ClientBase, { step, to, set = {}, deadlineS }: StepMove): Promise<void> {
    const { id, epoch, scope } = this.run;
    const next = { ...step, ...set };
    const { rowCount } = await client.query(moveStep, [
      id,
      step.idx,
      epoch,
      step.state,
      to,
      next.attempt,
      textOf(next.before),
      textOf(next.request),
      textOf(next.after),
      textOf(next.result),
      textOf(next.error),
      to === 'waiting' ? next.waitsFor : null,
      next.skipReason,
      deadlineS ?? null,
    ]);
    if (rowCount !== 1) throw new LeaseLost(scope);
  }

  /** With how far the run is once the entry stands. */
  private toldAfter(run: RunMove | undefined, step: StepMove | undefined, events: readonly RunEvent[]): RunEvent[] {
    const former = { run: this.run.state, step: step?.step.state };
    if (run) this.run.state = run.to;
    if (step) step.step.state = step.to;
    const { percent } = this;
    this.run.state = former.run;
    if (step && former.step) step.step.state = former.step;
    return events.map(({ type, payload }) => ({ type, payload: { ...payload, percent } }));
  }

  private follow({ run, step }: Entry): void {
    if (run) {
      const pausedFrom = run.to === 'paused' ? this.run.state : null;
      const pausedFor = run.to === 'paused' ? (run.pausedFor ?? 'human') : null;
      Object.assign(this.run, { state: run.to, pausedFrom, pausedFor, wish: null, wishBy: null, wishReason: null });
    }
    if (step) Object.assign(step.step, step.set, { state: step.to, wish: null, wishBy: null, wishFacts: null });
  }

  private words(action: string, subject: string, by: string | null = null): NewAuditEntry {
    const { id, planId, actor, reason } = this.run;
    return {
      actor: { id: by ?? actor, role: by === null ? 'executor' : null },
      action,
      subject,
      environment: this.environment,
      reason,
      planId,
      runId: id,
      outcome: 'done',
    };
  }
}

function textOf(value: JsonObject | null): string | null {
  return value && JSON.stringify(value);
}

function digest(value: JsonObject | null): string | null {
  return (
    value &&
    createHash('sha256')
      .update(canonicalize(value) ?? '')
      .digest('hex')
  );
}
