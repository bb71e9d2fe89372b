import { readFileSync } from 'node:fs';
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assignment } from '@belay/assignment';
import { directory } from '@belay/directory';
import type { RecoveryContext, RecoveryInput, RecoveryMarker } from '@belay/platform';
import { production } from '@belay/production';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { markerCreate } from '../../libs/rollback/src/actions/marker.create.action.js';
import { migrationDown } from '../../libs/rollback/src/actions/migration.down.action.js';
import { migrationUp } from '../../libs/rollback/src/actions/migration.up.action.js';
import { verifyDomain } from '../../libs/rollback/src/actions/verify.domain.action.js';
import { ledgers } from '../../migrations/index.js';
import { ActionRoom } from '../rollback/action-room.js';

const { hooks, probes, runbooks } = assignment.runbook;
const actor = randomUUID();
const rows = readFileSync(new URL('../migrations/rows/assignment.sql', import.meta.url), 'utf8');
const tables = hooks.tables.filter((table) => table !== 'assignment.assignment_log');

describe('the way back of assignment', () => {
  let room: ActionRoom;
  let source: DataSource;
  beforeAll(async () => {
    room = await ActionRoom.open({ domains: [directory, production, assignment], ledgers });
    await room.rows(rows);
    // The rows are of a time when nothing was assigned.
    await room.rows(
      `SET session_replication_role = replica; DELETE FROM assignment.assignment_log WHERE event = 'assigned'; SET session_replication_role = origin`,
    );
    source = await new DataSource({ type: 'postgres', url: room.databases.databaseUrl }).initialize();
  });
  afterAll(async () => {
    await source.destroy();
    await room.close();
  });

  /** As the executor works: one transaction, with the marker of its step in it. */
  const inRun = <Result>(work: (context: RecoveryContext) => Promise<Result>): Promise<Result> => {
    const runId = randomUUIDv7();
    return source.transaction(async (tx) => {
      await tx.query(`INSERT INTO platform.step_marker (step_key, run_id, epoch) VALUES ($1, $2, 1)`, [runId, runId]);
      return work({ tx, runId, actor, signal: AbortSignal.timeout(60_000) });
    });
  };
  const mark = (): Promise<RecoveryMarker> =>
    inRun(async (context) => {
      const facts = await hooks.mark(context);
      const now = `SELECT pg_current_snapshot()::text AS snapshot, clock_timestamp() AS at`;
      const [row] = z.array(z.object({ snapshot: z.string(), at: z.date() })).parse(await context.tx.query(now));
      if (!row) throw new Error('There is no time');
      return { ...row, facts };
    });
  const inputOf = ({ snapshot, at }: RecoveryMarker, more: Partial<RecoveryInput> = {}): RecoveryInput => ({
    marker: { snapshot, at },
    mode: 'compensate',
    ...more,
  });
  const recover = async (marker: RecoveryMarker, more: Partial<RecoveryInput> = {}) => {
    const input = inputOf(marker, more);
    const { hash } = await inRun((context) => hooks.plan(context, input));
    return inRun(async (context) => {
      const outcome = await hooks.compensate(context, input, hash);
      await hooks.afterRestore(context, marker);
      return { outcome, findings: await hooks.verify(context, marker, outcome) };
    });
  };
  /** Without the versions: what was taken back was touched. */
  const content = async () => {
    const all: Record<string, unknown> = {};
    for (const table of tables) {
      all[table] = await room.rows(`SELECT to_jsonb(t) - 'row_version' AS row FROM ${table} t ORDER BY 1`);
    }
    return all;
  };
  const as = (who: string, sql: string) =>
    room.rows(`SELECT set_config('belay.actor', '${who}', false); ${sql}; SELECT set_config('belay.actor', '', false)`);

  const damage = `
    UPDATE assignment.assignment_plan_node SET priority = 5, active = NOT active;
    DELETE FROM assignment.token_pin;
    UPDATE assignment.leave_request SET period = tstzrange(lower(period), upper(period) + interval '1 day');
    DELETE FROM assignment.operator_availability;
    UPDATE assignment.operator_override SET is_available = true, note = 'gone';
    INSERT INTO assignment.team_availability (team_id, day, is_available)
    VALUES ('01991c00-0000-7000-8000-000000000061', '2026-12-26', false);
    INSERT INTO assignment.assignment_plan_job (id, job_ticket_id, mode, assignee_type, assignee_id, unavailable_policy, created_by)
    VALUES (gen_random_uuid(), gen_random_uuid(), 'PIN', 'operator', gen_random_uuid(), 'WAIT', gen_random_uuid())`;

  it('takes back whatever was changed in every table, leaves the log, and finds everything as it was', async () => {
    const before = await content();
    const marker = await mark();
    await room.rows(damage);
    await room.rows(`INSERT INTO assignment.assignment_log (method, event) VALUES ('MANUAL', 'cancelled')`);
    expect(await content()).not.toEqual(before);
    const { outcome, findings } = await recover(marker);
    expect(outcome).toMatchObject({ upserts: 6, deletes: 2, kept: [] });
    expect(findings.filter((one) => one.outcome !== 'passed')).toEqual([]);
    expect(findings.length).toBeGreaterThanOrEqual(tables.length + 1);
    expect(await content()).toEqual(before);
    const [log] = await room.rows(
      `SELECT count(*)::int AS entries FROM assignment.assignment_log WHERE event = 'cancelled'`,
    );
    expect(log).toEqual({ entries: 2 });
  });

  it('never gives a version twice', async () => {
    const version = async () =>
      (await room.rows(`SELECT id, row_version FROM assignment.assignment_plan_node ORDER BY id`)).map(
        ({ row_version }) => Number(row_version),
      );
    const marker = await mark();
    const before = await version();
    await room.rows(`UPDATE assignment.assignment_plan_node SET priority = 6, row_version = row_version + 1`);
    await recover(marker);
    expect(await version()).toEqual(before.map((one) => one + 2));
  });

  it('leaves what others changed too, and what stands in the way of a rule, and lists both', async () => {
    const [mine, theirs] = [randomUUID(), randomUUID()];
    const marker = await mark();
    const operator = randomUUID();
    await as(mine, `UPDATE assignment.operator_override SET note = 'mine'`);
    await as(theirs, `UPDATE assignment.operator_override SET note = 'theirs'`);
    const [leave] = await room.rows<{ id: string; operator_id: string }>(
      `SELECT id, operator_id FROM assignment.leave_request`,
    );
    await as(mine, `UPDATE assignment.leave_request SET status = 'cancelled'`);
    await as(
      theirs,
      `INSERT INTO assignment.leave_request (id, operator_id, leave_type, period, status, approved_by, created_by)
       SELECT gen_random_uuid(), operator_id, 'sick', period, 'approved', '${operator}', '${operator}' FROM assignment.leave_request`,
    );
    const { outcome, findings } = await recover(marker, { mode: 'selective', only: { actors: [mine] } });
    expect(outcome.kept).toEqual([
      expect.objectContaining({
        table: 'assignment.leave_request',
        record: { id: leave?.id },
        because: 'approved_leave_does_not_overlap',
      }),
      expect.objectContaining({ table: 'assignment.operator_override', because: 'somebody else has changed it since' }),
    ]);
    expect(findings.filter(({ outcome: result }) => result === 'failed').map(({ name }) => name)).toEqual([
      'assignment.leave_request equals the marker',
      'assignment.operator_override equals the marker',
    ]);
    await recover(marker);
  });

  it('is refused when something was changed since the plan, or when it is to be narrowed by a key it does not know', async () => {
    const marker = await mark();
    const { hash } = await inRun((context) => hooks.plan(context, inputOf(marker)));
    await room.rows(`UPDATE assignment.operator_override SET note = 'meanwhile'`);
    await expect(inRun((context) => hooks.compensate(context, inputOf(marker), hash))).rejects.toThrow(
      'since the plan was made',
    );
    const narrowed = inputOf(marker, { mode: 'selective', only: { keys: { team: [randomUUID()] } } });
    const plan = await inRun((context) => hooks.plan(context, narrowed));
    expect(plan.refusals).toEqual([{ why: 'rows are not told apart by this key', key: 'team' }]);
    await expect(inRun((context) => hooks.compensate(context, narrowed, plan.hash))).rejects.toThrow('narrowed');
    await recover(marker);
  });

  it('notices an entry of the log that is gone, and one of something that never happened', async () => {
    const marker = await mark();
    const token = randomUUID();
    const find = async () =>
      (await inRun((context) => hooks.verify(context, marker)))
        .filter(({ outcome }) => outcome === 'failed')
        .map(({ name }) => name);
    await room.rows(
      `INSERT INTO assignment.assignment_log (token_id, node_id, method, event) VALUES ($1, $1, 'AUTO', 'assigned')`,
      [token],
    );
    expect(await find()).toEqual(['check logged-as-done']);
    const [silence] = probes.off.flatMap((probe) => (probe.kind === 'rows' ? [probe.sql] : []));
    expect(await room.rows(silence ?? '', [10, marker.at])).toHaveLength(1);
    expect(await room.rows(silence ?? '', [10, new Date()])).toHaveLength(0);
    await room.rows(
      `SET session_replication_role = replica; DELETE FROM assignment.assignment_log; SET session_replication_role = origin`,
    );
    expect(await find()).toEqual(['the log is whole']);
  });

  it('has the log put back from a copy by who restores in a run, and by nobody else', async () => {
    const { physical } = hooks;
    await room.rows(
      `INSERT INTO assignment.assignment_log (method, event, created_at)
       SELECT 'SKIP', 'queued', now() - make_interval(months => n) FROM generate_series(0, 3) AS n`,
    );
    const log = () => room.rows(`SELECT * FROM assignment.assignment_log ORDER BY id`);
    const before = await log();
    const putBack = (inARun: boolean) =>
      inRun(async ({ tx, runId }) => {
        await tx.query(`CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM assignment.assignment_log`);
        await tx.query(`GRANT SELECT ON kept TO ${physical.role}`);
        if (inARun) await tx.query(`SELECT set_config('assignment.maintenance_run_id', $1, true)`, [runId]);
        await tx.query(`SET LOCAL ROLE ${physical.role}`);
        await tx.query(`TRUNCATE ${physical.truncates.join(', ')}`);
        for (const { table, order } of physical.fills) {
          await tx.query(`INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM kept ORDER BY ${order}`);
        }
        for (const sql of physical.rebind) await tx.query(sql);
      });
    await expect(putBack(false)).rejects.toThrow('never emptied');
    await putBack(true);
    expect(await log()).toEqual(before);
    const [next] = await room.rows<{ id: string }>(
      `INSERT INTO assignment.assignment_log (method, event) VALUES ('SKIP', 'queued') RETURNING id`,
    );
    expect(Number(next?.id)).toBe(Math.max(...before.map(({ id }) => Number(id))) + 1);
  });

  it('parks priority, log and calendar while plans stay, and brings every row back', async () => {
    await room.rows(`UPDATE assignment.assignment_plan_node SET priority = 7`);
    const before = await content();
    const down = runbooks.find(({ id }) => id === 'assignment-phase-7')?.steps.find(({ key }) => key === 'down');
    const input = z.object({ domain: z.string(), to: z.string() }).parse(down?.params);
    const step = await room.step(migrationDown, { ...input, only: null, feature: null });
    await step.inspect();
    const result = await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    const names = async () =>
      (
        await room.rows<{ name: string }>(
          `SELECT relname AS name FROM pg_class WHERE relnamespace = 'assignment'::regnamespace AND relkind IN ('r', 'p')
           AND NOT relispartition ORDER BY 1`,
        )
      ).map(({ name }) => name);
    expect((await names()).filter((name) => !name.endsWith('__parked'))).toEqual([
      'assignment_plan_job',
      'assignment_plan_node',
      'token_pin',
    ]);
    await room.rows(
      `INSERT INTO assignment.assignment_plan_node (id, graph_id, node_code, mode, assignee_type, assignee_id, unavailable_policy, created_by)
       VALUES (gen_random_uuid(), gen_random_uuid(), 'LATE', 'PLAN', 'team', gen_random_uuid(), 'NEXT', gen_random_uuid())`,
    );
    const look = await room.step(verifyDomain, { domain: 'assignment', expect: 'off' });
    expect(await look.verify()).toMatchObject({ outcome: 'pass' });

    const up = await room.step(migrationUp, {
      domain: 'assignment',
      to: null,
      only: result['moved'] ?? null,
      feature: null,
    });
    await up.inspect();
    await up.execute();
    expect(await up.verify()).toMatchObject({ outcome: 'pass' });
    const late = await room.rows(
      `DELETE FROM assignment.assignment_plan_node WHERE node_code = 'LATE' RETURNING priority`,
    );
    expect(late).toEqual([{ priority: 100 }]);
    expect(await content()).toEqual(before);
    const marked = await (await room.step(markerCreate, { name: 'after' })).execute();
    expect(marked).toMatchObject({ domains: ['assignment'] });
  });
});
