import { decodeCursor, isoInstant, listFrom, type List, type Page } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Checks } from '../checks/checks.js';
import { World } from '../engine/world.js';
import { Plans } from '../plans/plans.service.js';
import { logEntry, runReport, type LogEntry, type RunReport } from './run.contract.js';
import { RunReader } from './run-reader.service.js';
import { trafficAround } from './traffic.queries.js';

const logRow = logEntry.extend({ at: z.string() });
const key = z.tuple([z.string(), z.string()]);

/** What a run has changed and what it took, and the log of all of them. */
@Injectable()
export class RunReports {
  constructor(
    private readonly world: World,
    private readonly reader: RunReader,
    private readonly plans: Plans,
    private readonly checks: Checks,
  ) {}

  async report(runId: string): Promise<RunReport> {
    const run = await this.reader.get(runId);
    const { doc } = await this.plans.load(run.planId);
    const checks = await this.checks.ofRun(runId);
    const parked = await this.world.control.query(
      `SELECT domain, kind, object, rows::text AS rows FROM control.parked_object WHERE run_id = $1 ORDER BY domain, kind, object`,
      [runId],
    );
    const tookS = run.finishedAt === null ? null : run.elapsedS;
    return runReport.parse({
      run,
      reason: run.reason,
      components: doc.changes,
      timings: {
        budgetS: doc.budgetS,
        targetS: doc.targetS,
        estimateS: doc.estimateS,
        tookS,
        withinBudget: tookS === null ? null : tookS <= doc.budgetS,
        steps: run.steps.map(({ idx, action, startedAt, finishedAt }) => ({
          idx,
          action,
          tookMs: startedAt && finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : null,
        })),
      },
      checks,
      bypasses: checks.flatMap(({ id, bypassedBy }) => (bypassedBy === null ? [] : [{ check: id, by: bypassedBy }])),
      parked: parked.rows,
      dataLoss: run.steps.some(({ result }) => Number(result?.['onlyInFailedCopy'] ?? 0) > 0) ? 'possible' : 'none',
      traffic: await trafficAround(this.world.control, run),
    });
  }

  /** Newest first, one entry a run. */
  async log({ limit, cursor }: Page): Promise<List<LogEntry>> {
    const [at, id] = decodeCursor(cursor, key) ?? [null, null];
    const { rows } = await this.world.control.query(
      `SELECT run_id AS "runId", ${isoInstant('date')} AS date, date::text AS at,
              phase, reason, rolled_back_by AS "rolledBackBy", duration_s AS "durationS", data_loss AS "dataLoss", issues, resolution
       FROM control.rollback_log
       WHERE $1::timestamptz IS NULL OR (date, run_id) < ($1::timestamptz, $2::uuid)
       ORDER BY date DESC, run_id DESC LIMIT $3`,
      [at, id, limit + 1],
    );
    const known = z.array(logRow).parse(rows);
    return listFrom(
      known,
      limit,
      (row) => [row.at, row.runId],
      (row) => logEntry.parse(row),
    );
  }
}
