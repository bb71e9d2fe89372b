import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = [
  'production.job_ticket',
  'production.job_code_counter',
  'production.job_serial',
  'production.serial_counter',
  'production.station_progress',
  'production.job_graph_instance',
];

/** What is to be made and how many, and each attempt at it. */
export class CreateTicket1764010100000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await tickets(q);
    await serials(q);
    await attempts(q);
    await q.query(`SELECT production.version_rows('production.job_ticket')`);
    for (const table of ['job_ticket', 'job_serial', 'station_progress', 'job_graph_instance']) {
      await q.query(`SELECT platform.audit_table('production.${table}')`);
    }
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}

async function tickets(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.job_ticket (
      id                uuid PRIMARY KEY,
      code              text NOT NULL CONSTRAINT job_ticket_code_is_unique UNIQUE,
      site_id           uuid NOT NULL,
      line              text NOT NULL CONSTRAINT job_line_is_known CHECK (line IN ('atelier', 'oem', 'hybrid')),
      process_mode      text NOT NULL CONSTRAINT job_process_mode_is_known CHECK (process_mode IN ('piece', 'batch')),
      execution         text NOT NULL DEFAULT 'tokens' CONSTRAINT job_execution_is_known
                        CHECK (execution IN ('tokens', 'stations')),
      product_id        uuid,
      sku               text,
      product_name      text,
      target_qty        numeric(12,3) NOT NULL CONSTRAINT job_makes_something CHECK (target_qty > 0),
      graph_version_id  uuid NOT NULL CONSTRAINT job_follows_a_version REFERENCES production.routing_graph_version (id),
      status            text NOT NULL DEFAULT 'planned' CONSTRAINT job_status_is_known
                        CHECK (status IN ('planned', 'in_progress', 'completed', 'cancelled')),
      priority          smallint NOT NULL DEFAULT 0,
      due_at            timestamptz,
      attributes        jsonb NOT NULL DEFAULT '{}',
      notes             text,
      started_at        timestamptz,
      completed_at      timestamptz,
      cancelled_at      timestamptz,
      cancel_reason     text,
      stations_at       timestamptz,
      created_at        timestamptz NOT NULL DEFAULT now(),
      row_version       integer NOT NULL DEFAULT 1,
      CONSTRAINT pieces_are_whole CHECK (process_mode <> 'piece' OR target_qty = trunc(target_qty)),
      CONSTRAINT job_cancelled_has_a_reason CHECK (status <> 'cancelled' OR cancel_reason IS NOT NULL)
    )`);
  await q.query(`CREATE INDEX job_ticket_by_site ON production.job_ticket (site_id, status)`);
  await q.query(
    `CREATE INDEX job_ticket_by_due ON production.job_ticket (due_at, id) WHERE status IN ('planned', 'in_progress')`,
  );
  await q.query(`CREATE INDEX job_ticket_by_version ON production.job_ticket (graph_version_id)`);
  await q.query(`
    CREATE TABLE production.job_code_counter (
      day         date PRIMARY KEY,
      last        integer NOT NULL,
      created_at  timestamptz NOT NULL DEFAULT now()
    )`);
  await q.query(`
    CREATE TABLE production.station_progress (
      job_ticket_id  uuid NOT NULL CONSTRAINT progress_is_of_a_job REFERENCES production.job_ticket (id),
      node_code      text NOT NULL,
      status         text NOT NULL CONSTRAINT progress_status_is_known
                     CHECK (status IN ('pending', 'in_progress', 'completed', 'skipped')),
      good_qty       numeric(12,3) NOT NULL DEFAULT 0 CONSTRAINT progress_good_is_not_negative CHECK (good_qty >= 0),
      scrap_qty      numeric(12,3) NOT NULL DEFAULT 0 CONSTRAINT progress_scrap_is_not_negative CHECK (scrap_qty >= 0),
      at             timestamptz NOT NULL,
      created_at     timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (job_ticket_id, node_code)
    )`);
}

async function serials(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.job_serial (
      job_ticket_id  uuid NOT NULL CONSTRAINT serial_is_of_a_job REFERENCES production.job_ticket (id),
      spawn_seq      integer NOT NULL CONSTRAINT serials_are_counted_from_1 CHECK (spawn_seq >= 1),
      serial         text NOT NULL CONSTRAINT serial_is_unique UNIQUE,
      printed_at     timestamptz,
      created_at     timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (job_ticket_id, spawn_seq)
    )`);
  await q.query(`
    CREATE TABLE production.serial_counter (
      line        text NOT NULL CONSTRAINT serial_line_is_known CHECK (line IN ('atelier', 'oem', 'hybrid')),
      sku         text NOT NULL,
      day         date NOT NULL,
      last        integer NOT NULL,
      created_at  timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (line, sku, day)
    )`);
}

async function attempts(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.job_graph_instance (
      id                uuid PRIMARY KEY,
      job_ticket_id     uuid NOT NULL CONSTRAINT instance_is_of_a_job REFERENCES production.job_ticket (id),
      graph_version_id  uuid NOT NULL CONSTRAINT instance_follows_a_version
                        REFERENCES production.routing_graph_version (id),
      attempt_no        integer NOT NULL CONSTRAINT attempts_are_counted_from_1 CHECK (attempt_no >= 1),
      spawned_at        timestamptz,
      status            text NOT NULL DEFAULT 'active' CONSTRAINT instance_status_is_known
                        CHECK (status IN ('active', 'paused', 'completed', 'cancelled', 'archived')),
      created_at        timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT attempt_of_a_job_is_unique UNIQUE (job_ticket_id, attempt_no)
    )`);
  await q.query(`
    CREATE UNIQUE INDEX job_runs_once_at_a_time ON production.job_graph_instance (job_ticket_id)
    WHERE status IN ('active', 'paused')`);
}
