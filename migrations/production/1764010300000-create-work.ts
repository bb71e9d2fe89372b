import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['production.token_assignment', 'production.token_work_session', 'production.health_finding'];

/** Who is to work on what, who did and how long, and what does not fit together. */
export class CreateWork1764010300000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await assignments(q);
    await sessions(q);
    await findings(q);
    for (const table of ['token_assignment', 'health_finding']) {
      await q.query(`SELECT production.version_rows('production.${table}')`);
    }
    for (const table of tables) await q.query(`SELECT platform.audit_table('${table}')`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}

async function assignments(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.token_assignment (
      id                 uuid PRIMARY KEY,
      token_id           uuid NOT NULL CONSTRAINT assignment_is_of_a_token REFERENCES production.flow_token (id),
      node_id            uuid NOT NULL,
      assigned_to_type   text NOT NULL CONSTRAINT assignee_type_is_known CHECK (assigned_to_type IN ('operator', 'team')),
      team_id            uuid,
      operator_id        uuid,
      method             text NOT NULL CONSTRAINT assignment_method_is_known
                         CHECK (method IN ('PIN', 'PLAN', 'AUTO', 'MANUAL', 'REASSIGN')),
      status             text NOT NULL CONSTRAINT assignment_status_is_known
                         CHECK (status IN ('assigned', 'accepted', 'started', 'paused', 'completed', 'rejected', 'cancelled')),
      reason_code        text,
      reason_text        text,
      plan_ref           text,
      note               text,
      assigned_by        uuid,
      assigned_at        timestamptz NOT NULL,
      accepted_at        timestamptz,
      started_at         timestamptz,
      paused_at          timestamptz,
      completed_at       timestamptz,
      cancelled_at       timestamptz,
      cancel_reason      text,
      status_changed_at  timestamptz NOT NULL,
      created_at         timestamptz NOT NULL DEFAULT now(),
      row_version        integer NOT NULL DEFAULT 1,
      CONSTRAINT assignment_is_to_somebody CHECK (team_id IS NOT NULL OR operator_id IS NOT NULL),
      CONSTRAINT assignment_ended_early_has_a_reason
        CHECK (status NOT IN ('cancelled', 'rejected') OR cancel_reason IS NOT NULL)
    )`);
  await q.query(`
    CREATE UNIQUE INDEX token_is_assigned_once ON production.token_assignment (token_id)
    WHERE status IN ('assigned', 'accepted', 'started', 'paused')`);
  await q.query(`CREATE INDEX token_assignment_by_operator ON production.token_assignment (operator_id, status)`);
  await q.query(`CREATE INDEX token_assignment_by_team ON production.token_assignment (team_id, status)`);
  await q.query(`CREATE INDEX token_assignment_by_node ON production.token_assignment (node_id, status)`);
  await q.query(`CREATE INDEX token_assignment_by_token ON production.token_assignment (token_id)`);
  // What everybody has to do now, however much they did.
  await q.query(`
    CREATE INDEX open_assignment_by_operator ON production.token_assignment (operator_id)
    WHERE status IN ('assigned', 'accepted', 'started', 'paused')`);
  // Who got something last, and how much today.
  await q.query(`CREATE INDEX token_assignment_by_time ON production.token_assignment (operator_id, assigned_at)`);
}

async function sessions(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.token_work_session (
      id             uuid PRIMARY KEY,
      token_id       uuid NOT NULL CONSTRAINT session_is_on_a_token REFERENCES production.flow_token (id),
      node_id        uuid NOT NULL,
      operator_id    uuid NOT NULL,
      help_type      text NOT NULL DEFAULT 'own' CONSTRAINT session_help_type_is_known
                     CHECK (help_type IN ('own', 'assist', 'replace')),
      status         text NOT NULL CONSTRAINT session_status_is_known
                     CHECK (status IN ('active', 'paused', 'completed', 'abandoned')),
      started_at     timestamptz NOT NULL,
      paused_at      timestamptz,
      resumed_at     timestamptz,
      ended_at       timestamptz,
      work_seconds   numeric(14,3) NOT NULL DEFAULT 0 CONSTRAINT session_work_is_not_negative CHECK (work_seconds >= 0),
      pause_seconds  numeric(14,3) NOT NULL DEFAULT 0 CONSTRAINT session_pause_is_not_negative CHECK (pause_seconds >= 0),
      pause_count    integer NOT NULL DEFAULT 0,
      pause_reason   text,
      device_id      text,
      created_at     timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT session_ends_after_it_began CHECK (ended_at >= started_at)
    )`);
  await q.query(`
    CREATE UNIQUE INDEX operator_works_on_one_thing ON production.token_work_session (operator_id) WHERE status = 'active'`);
  await q.query(`
    CREATE UNIQUE INDEX token_is_worked_on_once ON production.token_work_session (token_id)
    WHERE status IN ('active', 'paused') AND help_type <> 'assist'`);
  await q.query(`CREATE INDEX token_work_session_by_token ON production.token_work_session (token_id)`);
  await q.query(
    `CREATE INDEX token_work_session_by_operator ON production.token_work_session (operator_id, started_at)`,
  );
  await q.query(`
    CREATE INDEX open_session_by_operator ON production.token_work_session (operator_id) WHERE status IN ('active', 'paused')`);
  await q.query(`CREATE INDEX token_work_session_by_node ON production.token_work_session (node_id, status)`);
}

async function findings(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.health_finding (
      id             uuid PRIMARY KEY,
      kind           text NOT NULL,
      subject_type   text NOT NULL,
      subject_id     uuid NOT NULL,
      detail         jsonb NOT NULL DEFAULT '{}',
      first_seen_at  timestamptz NOT NULL,
      last_seen_at   timestamptz NOT NULL,
      resolved_at    timestamptz,
      created_at     timestamptz NOT NULL DEFAULT now(),
      row_version    integer NOT NULL DEFAULT 1
    )`);
  await q.query(`
    CREATE UNIQUE INDEX finding_is_open_once ON production.health_finding (kind, subject_id) WHERE resolved_at IS NULL`);
}
