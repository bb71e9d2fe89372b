import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, decodeCursor, listFrom, Outbox, PermissionMissing, type Caller, type List } from '@belay/platform';
import { z } from 'zod';
import type { IntegrityFailed } from '../wms.events.js';
import { runChecks, type CheckResult } from './check.service.js';
import type { IntegrityRunSummary, IntegrityRunView, IntegrityView, RunFilter } from './integrity.contract.js';
import { IntegrityRunInProgress, IntegrityRunNotFound } from './integrity.problems.js';
import { integrityChecks } from './integrity.queries.js';
import {
  forgetOldRuns,
  insertRun,
  lockChecks,
  resultsOf,
  runById,
  runList,
  type RunRow,
} from './integrity-run.queries.js';

const READ = 'wms.ops:read';
const RUN = 'wms.ops:run';
const listKey = z.tuple([z.string(), z.uuid()]);
const meanings = new Map(integrityChecks.map(({ name, holds }) => [name, holds]));

@Injectable()
export class IntegrityService {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  async last(by: Caller): Promise<IntegrityView> {
    const [run] = await runById(this.database.dataSource, [null]);
    return { last: run ? await this.view(by, run) : null };
  }

  async get(by: Caller, id: string): Promise<IntegrityRunView> {
    const [run] = await runById(this.database.dataSource, [id]);
    if (!run) throw new IntegrityRunNotFound(id);
    return this.view(by, run);
  }

  async list({ cursor, limit }: RunFilter): Promise<List<IntegrityRunSummary>> {
    const after = decodeCursor(cursor, listKey) ?? [null, null];
    const rows = await runList(this.database.dataSource, [...after, limit + 1]);
    return listFrom(rows, limit, (row) => [row.sortAt, row.id], summaryOf);
  }

  /** Looks at every warehouse, as it was at one moment, and keeps what it found. */
  async run(by: Caller): Promise<IntegrityRunView> {
    if (by.kind !== 'system' && by.sitesFor(RUN) !== 'all') throw new PermissionMissing(RUN);
    const startedAt = new Date();
    const results = await this.database.dataSource.transaction('REPEATABLE READ', async (tx) => {
      const [lock] = await lockChecks(tx, []);
      if (lock?.locked !== true) throw new IntegrityRunInProgress();
      return runChecks(tx);
    });
    const id = randomUUIDv7();
    await this.database.transaction(by, async (tx) => {
      await forgetOldRuns(tx, []);
      await insertRun(tx, [id, startedAt, by.accountId, ...columnsOf(results)]);
      const failed = results.filter(({ outcome }) => outcome === 'failed');
      if (failed.length === 0) return;
      const checks = failed.map(({ name, severity, violations }) => ({ name, severity, violations }));
      const fact: IntegrityFailed = { name: 'wms.integrity.failed', body: { runId: id, checks } };
      await this.outbox.add(tx, fact, 'wms');
    });
    return this.get(by, id);
  }

  private async view(by: Caller, run: RunRow): Promise<IntegrityRunView> {
    const seesAll = by.kind === 'system' || by.sitesFor(READ) === 'all';
    const results = await resultsOf(this.database.dataSource, [run.id]);
    return {
      ...summaryOf(run),
      checks: results.map((result) => ({
        ...result,
        holds: meanings.get(result.name) ?? '',
        sample: seesAll ? z.array(z.record(z.string(), z.json())).parse(result.sample) : [],
      })),
    };
  }
}

function summaryOf({ id, startedAt, finishedAt, requestedBy, failed, inconclusive }: RunRow): IntegrityRunSummary {
  const times = { startedAt: startedAt.toISOString(), finishedAt: finishedAt.toISOString() };
  return { id, ...times, requestedBy, failed, inconclusive };
}

/** The columns of the statement, each an array. */
function columnsOf(results: readonly CheckResult[]): unknown[] {
  return [
    results.map(({ name }) => name),
    results.map(({ severity }) => severity),
    results.map(({ outcome }) => outcome),
    results.map(({ violations }) => violations),
    results.map(({ sample }) => JSON.stringify(sample)),
    results.map(({ durationMs }) => durationMs),
    results.map(({ note }) => note),
  ];
}
