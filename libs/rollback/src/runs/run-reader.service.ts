import { decodeCursor, isoInstant, listFrom, type List } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { z } from 'zod';
import { World } from '../engine/world.js';
import { runStepView, runSummary, type RunFilter, type RunSummary, type RunView } from './run.contract.js';
import { RunNotFound } from './run.problems.js';

const key = z.tuple([z.string(), z.string()]);

const summaryColumns = `
  r.id, r.plan_id AS "planId", p.doc->'target' AS target, r.scope, r.mode, r.level, r.state, r.paused_for AS "pausedFor",
  r.policy, r.reason, r.actor, r.undoes, r.ratified_by AS "ratifiedBy", coalesce(told.percent, 0) AS percent,
  (SELECT min(s.idx) FROM control.run_step s WHERE s.run_id = r.id AND s.state NOT IN ('verified', 'skipped')) AS "currentStep",
  CASE WHEN r.state IN ('queued', 'running', 'paused', 'verifying')
       THEN (p.doc->>'estimateS')::float8 * (100 - coalesce(told.percent, 0)) / 100 END AS "etaS",
  (p.doc->>'budgetS')::float8 AS "budgetS",
  coalesce(extract(epoch FROM coalesce(r.finished_at, clock_timestamp()) - r.started_at), 0)::float8 AS "elapsedS",
  r.last_event::int AS "lastEvent", ${isoInstant('r.created_at')} AS "createdAt",
  ${isoInstant('r.started_at')} AS "startedAt", ${isoInstant('r.finished_at')} AS "finishedAt",
  ${isoInstant('r.monitor_until')} AS "monitorUntil"`;
const from = `
  FROM control.run r JOIN control.plan p ON p.id = r.plan_id
  LEFT JOIN LATERAL (
    SELECT (e.payload->>'percent')::float8 AS percent FROM control.run_event e
    WHERE e.run_id = r.id AND e.payload ? 'percent' ORDER BY e.seq DESC LIMIT 1) AS told ON true`;

const listRow = z.object({ summary: runSummary, at: z.string() });
const stepRows = z.array(runStepView);

/** Runs as people see them. */
@Injectable()
export class RunReader {
  constructor(private readonly world: World) {}

  /** Throws `run-not-found`. */
  async get(id: string, on: pg.Pool | pg.ClientBase = this.world.control): Promise<RunView> {
    const { rows } = await on.query<{ result: unknown }>(`SELECT ${summaryColumns}, r.result ${from} WHERE r.id = $1`, [
      id,
    ]);
    const [row] = rows;
    if (!row) throw new RunNotFound(id);
    const steps = await on.query(
      `SELECT idx, action, domain, input, state, attempt, waits_for AS "waitsFor", skip_reason AS "skipReason", before,
              request AS preview, result, after AS evidence, error,
              ${isoInstant('started_at')} AS "startedAt",
              ${isoInstant('finished_at')} AS "finishedAt"
       FROM control.run_step WHERE run_id = $1 ORDER BY idx`,
      [id],
    );
    const result = z.record(z.string(), z.json()).parse(row.result);
    return { ...runSummary.parse(row), result, steps: stepRows.parse(steps.rows) };
  }

  /** Newest first. */
  async list({ limit, cursor, state }: RunFilter): Promise<List<RunSummary>> {
    const [at, id] = decodeCursor(cursor, key) ?? [null, null];
    const { rows } = await this.world.control.query(
      `SELECT to_jsonb(one) AS summary, one."at" FROM (
         SELECT ${summaryColumns}, r.created_at::text AS at ${from}
         WHERE ($1::text IS NULL OR r.state = $1)
           AND ($2::timestamptz IS NULL OR (r.created_at, r.id) < ($2::timestamptz, $3::uuid))
         ORDER BY r.created_at DESC, r.id DESC LIMIT $4) AS one`,
      [state ?? null, at, id, limit + 1],
    );
    return listFrom(
      z.array(listRow).parse(rows),
      limit,
      ({ at: createdAt, summary }) => [createdAt, summary.id],
      ({ summary }) => summary,
    );
  }
}
