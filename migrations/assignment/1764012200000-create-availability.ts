import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { park, parkTables, unpark, unparkTables } from '../support/park.js';

const calendar = [
  'assignment.leave_request',
  'assignment.operator_availability',
  'assignment.operator_override',
  'assignment.team_availability',
];
const tables = [...calendar, 'assignment.operator_state', 'assignment.round_robin'];
const view = 'assignment.public_operator_state';

/** Who is there and when, and what the automatic choice remembers. */
export class CreateAvailability1764012200000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) {
      await unpark(q, { view });
      return;
    }
    await leave(q);
    await rosters(q);
    await projections(q);
    for (const table of calendar) await q.query(`SELECT platform.audit_table('${table}')`);
    await q.query(`SELECT assignment.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, { view });
    await parkTables(q, tables);
  }
}

async function leave(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE assignment.leave_request (
      id           uuid PRIMARY KEY,
      operator_id  uuid NOT NULL,
      leave_type   text NOT NULL CONSTRAINT leave_type_is_known
                   CHECK (leave_type IN ('sick', 'personal', 'vacation', 'training', 'other')),
      reason_code  text,
      reason_text  text,
      period       tstzrange NOT NULL CONSTRAINT leave_is_half_open
                   CHECK (lower_inc(period) AND NOT upper_inc(period) AND NOT upper_inf(period)
                          AND isfinite(lower(period)) AND isfinite(upper(period))),
      status       text NOT NULL DEFAULT 'requested' CONSTRAINT leave_status_is_known
                   CHECK (status IN ('requested', 'approved', 'rejected', 'cancelled')),
      approved_by  uuid,
      source       text NOT NULL DEFAULT 'local' CONSTRAINT leave_source_is_known CHECK (source IN ('local', 'people')),
      created_by   uuid NOT NULL,
      created_at   timestamptz NOT NULL DEFAULT now(),
      row_version  integer NOT NULL DEFAULT 1,
      CONSTRAINT approved_leave_does_not_overlap EXCLUDE USING gist (operator_id WITH =, period WITH &&)
        WHERE (status = 'approved'),
      CONSTRAINT approved_leave_says_by_whom CHECK (status <> 'approved' OR approved_by IS NOT NULL OR source = 'people')
    )`);
  await q.query(`CREATE INDEX leave_by_operator ON assignment.leave_request (operator_id, id)`);
}

async function rosters(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE assignment.operator_availability (
      operator_id  uuid NOT NULL,
      day          date NOT NULL,
      shift        text NOT NULL CONSTRAINT roster_shift_is_known
                   CHECK (shift IN ('morning', 'evening', 'night', 'full')),
      status       text NOT NULL CONSTRAINT roster_status_is_known
                   CHECK (status IN ('work', 'overtime', 'leave', 'sick', 'off')),
      source       text NOT NULL DEFAULT 'local' CONSTRAINT roster_source_is_known CHECK (source IN ('local', 'people')),
      created_at   timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (operator_id, day, shift)
    )`);
  await q.query(`
    CREATE TABLE assignment.operator_override (
      operator_id        uuid PRIMARY KEY,
      is_available       boolean NOT NULL,
      unavailable_until  timestamptz,
      reason_code        text,
      note               text,
      set_by             uuid NOT NULL,
      created_at         timestamptz NOT NULL DEFAULT now()
    )`);
  await q.query(`
    CREATE TABLE assignment.team_availability (
      team_id       uuid NOT NULL,
      day           date NOT NULL,
      is_available  boolean NOT NULL,
      reason        text,
      created_at    timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (team_id, day)
    )`);
  await q.query(`
    CREATE INDEX team_availability_by_team ON assignment.team_availability (team_id, day, is_available)`);
}

/** Derived or of no interest to people, so not in the audit log. */
async function projections(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE assignment.operator_state (
      operator_id   uuid PRIMARY KEY,
      is_available  boolean NOT NULL,
      reason        text,
      until         timestamptz,
      stale         boolean NOT NULL DEFAULT false,
      computed_at   timestamptz NOT NULL,
      created_at    timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT unavailable_operator_has_a_reason CHECK (is_available OR reason IS NOT NULL)
    )`);
  await q.query(`
    CREATE VIEW ${view} AS
    SELECT operator_id, is_available, reason, until, computed_at FROM assignment.operator_state`);
  await q.query(`
    CREATE TABLE assignment.round_robin (
      team_id           uuid NOT NULL,
      node_key          text NOT NULL,
      last_operator_id  uuid NOT NULL,
      created_at        timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (team_id, node_key)
    )`);
}
