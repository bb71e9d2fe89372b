import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = [
  'production.flow_token',
  'production.token_node_visit',
  'production.token_event',
  'production.token_parallel_group',
  'production.token_join_arrival',
];

/** Units of work on their way: where each is, where it has been, and everything that happened to it. */
export class CreateToken1764010200000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    await tokens(q);
    await visits(q);
    await groups(q);
    await events(q);
    await q.query(`SELECT production.version_rows('production.flow_token')`);
    await q.query(`SELECT platform.audit_table('production.flow_token')`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}

/**
 * Nodes are told by id without a foreign key: they are never changed or removed, and every operator of a node would lock
 * its one row with each step.
 */
async function tokens(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.flow_token (
      id                    uuid PRIMARY KEY,
      instance_id           uuid NOT NULL CONSTRAINT token_is_of_an_instance
                            REFERENCES production.job_graph_instance (id),
      token_type            text NOT NULL CONSTRAINT token_type_is_known
                            CHECK (token_type IN ('batch', 'piece', 'component')),
      serial                text,
      serial_rev            smallint NOT NULL DEFAULT 0,
      parent_token_id       uuid,
      parallel_group_id     uuid,
      branch_key            text,
      branch_no             integer,
      current_node_id       uuid,
      status                text NOT NULL CONSTRAINT token_status_is_known
                            CHECK (status IN ('ready', 'waiting', 'active', 'paused', 'completed', 'scrapped', 'merged', 'consumed')),
      hold_code             text CONSTRAINT token_hold_code_is_known
                            CHECK (hold_code IN ('NO_ROUTE', 'AMBIGUOUS_ROUTE', 'DEADLOCK', 'QUEUE_LIMIT', 'REDESIGN', 'SUPERVISOR')),
      qty                   numeric(12,3) NOT NULL CONSTRAINT token_is_of_something CHECK (qty > 0),
      rework_count          integer NOT NULL DEFAULT 0 CONSTRAINT token_rework_is_not_negative CHECK (rework_count >= 0),
      rework_limit          integer CONSTRAINT token_rework_limit_is_not_negative CHECK (rework_limit >= 0),
      priority              smallint NOT NULL DEFAULT 0,
      machine_code          text,
      metadata              jsonb NOT NULL DEFAULT '{}',
      qc_result             jsonb,
      queue_reason          text CONSTRAINT token_queue_reason_is_known
                            CHECK (queue_reason IN ('WIP_LIMIT', 'CONCURRENCY_LIMIT', 'TEAM_UNAVAILABLE', 'OPERATOR_UNAVAILABLE',
                                                    'NO_MATCH', 'JOIN_WAIT', 'WAIT_CONDITION', 'MACHINE_BUSY', 'QUEUE_LIMIT',
                                                    'JOB_PAUSED')),
      queue_entered_at      timestamptz,
      spawn_seq             integer,
      replaces_token_id     uuid CONSTRAINT token_is_replaced_once UNIQUE,
      merged_into_token_id  uuid,
      cancel_type           text CONSTRAINT token_cancel_type_is_known
                            CHECK (cancel_type IN ('qc_fail', 'redesign', 'permanent')),
      cancel_reason         text,
      spawned_at            timestamptz NOT NULL,
      first_spawned_at      timestamptz NOT NULL,
      completed_at          timestamptz,
      subgraph_path         uuid[],
      created_at            timestamptz NOT NULL DEFAULT now(),
      row_version           integer NOT NULL DEFAULT 1,
      CONSTRAINT component_has_a_parent CHECK (token_type <> 'component' OR parent_token_id IS NOT NULL),
      CONSTRAINT piece_is_one CHECK (token_type <> 'piece' OR qty = 1),
      CONSTRAINT live_token_stands_at_a_node
        CHECK ((status IN ('completed', 'scrapped', 'merged', 'consumed')) = (current_node_id IS NULL)),
      CONSTRAINT token_is_spawned_once UNIQUE (instance_id, spawn_seq)
    )`);
  await q.query(`
    CREATE UNIQUE INDEX serial_of_a_token_is_unique ON production.flow_token (serial)
    WHERE status NOT IN ('scrapped', 'consumed', 'merged')`);
  await q.query(`
    CREATE UNIQUE INDEX branch_is_made_once ON production.flow_token (parallel_group_id, branch_key, branch_no)
    WHERE replaces_token_id IS NULL`);
  await q.query(`CREATE INDEX flow_token_by_node ON production.flow_token (current_node_id, status)`);
  await q.query(`CREATE INDEX flow_token_by_instance ON production.flow_token (instance_id, status)`);
  await q.query(`CREATE INDEX flow_token_by_group ON production.flow_token (parallel_group_id)`);
  await q.query(`CREATE INDEX flow_token_by_parent ON production.flow_token (parent_token_id)`);
}

async function visits(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.token_node_visit (
      id                      uuid PRIMARY KEY,
      token_id                uuid NOT NULL CONSTRAINT visit_is_of_a_token REFERENCES production.flow_token (id),
      node_id                 uuid NOT NULL,
      visit_no                integer NOT NULL CONSTRAINT visits_are_counted_from_1 CHECK (visit_no >= 1),
      entered_at              timestamptz NOT NULL,
      admitted_at             timestamptz,
      first_started_at        timestamptz,
      completed_at            timestamptz,
      left_at                 timestamptz,
      wait_seconds            numeric(14,3) CONSTRAINT visit_wait_is_not_negative CHECK (wait_seconds >= 0),
      work_seconds            numeric(14,3) NOT NULL DEFAULT 0 CONSTRAINT visit_work_is_not_negative CHECK (work_seconds >= 0),
      assist_seconds          numeric(14,3) NOT NULL DEFAULT 0
                              CONSTRAINT visit_assistance_is_not_negative CHECK (assist_seconds >= 0),
      pause_seconds           numeric(14,3) NOT NULL DEFAULT 0 CONSTRAINT visit_pause_is_not_negative CHECK (pause_seconds >= 0),
      team_id                 uuid,
      operator_id             uuid,
      qc_result               jsonb,
      outcome                 text CONSTRAINT visit_outcome_is_known
                              CHECK (outcome IN ('moved', 'reworked', 'scrapped', 'merged', 'skipped')),
      estimated_wait_minutes  integer,
      created_at              timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT visit_of_a_node_is_unique UNIQUE (token_id, node_id, visit_no),
      CONSTRAINT visit_ends_with_an_outcome CHECK ((left_at IS NULL) = (outcome IS NULL))
    )`);
  await q.query(
    `CREATE UNIQUE INDEX token_is_at_one_node ON production.token_node_visit (token_id) WHERE left_at IS NULL`,
  );
  await q.query(`CREATE INDEX token_node_visit_by_node ON production.token_node_visit (node_id, completed_at)`);
  await q.query(`CREATE INDEX token_node_visit_by_end ON production.token_node_visit (left_at)`);
}

async function groups(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.token_parallel_group (
      id                 uuid PRIMARY KEY,
      parent_token_id    uuid NOT NULL CONSTRAINT group_is_of_a_token REFERENCES production.flow_token (id),
      split_node_id      uuid NOT NULL,
      visit_no           integer NOT NULL,
      kind               text NOT NULL CONSTRAINT group_kind_is_known CHECK (kind IN ('COMPONENT', 'FORK')),
      expected_branches  integer NOT NULL CONSTRAINT group_expects_a_branch CHECK (expected_branches >= 1),
      join_node_id       uuid,
      merged_at          timestamptz,
      timed_out_at       timestamptz,
      created_at         timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT token_splits_once_a_visit UNIQUE (parent_token_id, split_node_id, visit_no)
    )`);
  await q.query(`
    CREATE INDEX open_group_by_join ON production.token_parallel_group (join_node_id) WHERE merged_at IS NULL`);
  await q.query(`
    CREATE TABLE production.token_join_arrival (
      group_id      uuid NOT NULL CONSTRAINT arrival_is_of_a_group REFERENCES production.token_parallel_group (id),
      join_node_id  uuid NOT NULL,
      branch_key    text NOT NULL,
      branch_no     integer NOT NULL,
      token_id      uuid NOT NULL CONSTRAINT arrival_is_of_a_token REFERENCES production.flow_token (id),
      arrived_at    timestamptz NOT NULL,
      consumed_at   timestamptz,
      outcome       text CONSTRAINT arrival_outcome_is_known CHECK (outcome IN ('merged', 'late', 'timeout')),
      created_at    timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (group_id, join_node_id, branch_key, branch_no)
    )`);
  await q.query(`CREATE INDEX token_join_arrival_by_token ON production.token_join_arrival (token_id)`);
  await q.query(`
    CREATE INDEX token_join_arrival_by_end ON production.token_join_arrival (consumed_at) WHERE consumed_at IS NOT NULL`);
}

/**
 * One table a month. What happens in a month that has none is kept beside them, so that no step ever fails for want of a
 * table; a month that already has events there stays there.
 */
async function events(q: QueryRunner): Promise<void> {
  await q.query(`CREATE SEQUENCE production.token_event_id`);
  // Identity columns of partitioned tables are younger than the oldest server that is supported.
  await q.query(`
    CREATE TABLE production.token_event (
      id           bigint NOT NULL DEFAULT nextval('production.token_event_id'),
      token_id     uuid NOT NULL,
      node_id      uuid,
      type         text NOT NULL CONSTRAINT token_event_type_is_known
                   CHECK (type IN ('TOKEN_CREATE', 'TOKEN_SPLIT', 'TOKEN_MERGE', 'NODE_ENTER', 'NODE_LEAVE', 'NODE_START',
                                   'NODE_PAUSE', 'NODE_RESUME', 'NODE_COMPLETE', 'QC_PASS', 'QC_FAIL', 'REWORK', 'SCRAP',
                                   'REPLACEMENT', 'OVERRIDE_ROUTE', 'TOKEN_ADJUST', 'QUEUED', 'WOKEN', 'HELD', 'RELEASED',
                                   'RESOLVER_ERROR')),
      actor_id     uuid,
      payload      jsonb NOT NULL DEFAULT '{}',
      request_id   text,
      client_seq   bigint,
      client_time  timestamptz,
      event_time   timestamptz NOT NULL,
      created_at   timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (id, event_time)
    ) PARTITION BY RANGE (event_time)`);
  await q.query(`CREATE TABLE production.token_event_other PARTITION OF production.token_event DEFAULT`);
  await q.query(`CREATE INDEX token_event_by_token ON production.token_event (token_id, event_time)`);
  await q.query(`
    CREATE FUNCTION production.open_event_month(at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
      first timestamptz := date_trunc('month', at, 'UTC');
      next timestamptz := date_trunc('month', at, 'UTC') + interval '1 month';
      name text := 'token_event_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
    BEGIN
      IF to_regclass('production.' || name) IS NOT NULL
         OR EXISTS (SELECT FROM production.token_event_other WHERE event_time >= first AND event_time < next) THEN
        RETURN;
      END IF;
      -- Somebody else may be making it.
      PERFORM pg_advisory_xact_lock(hashtextextended('production.token_event', 0));
      IF to_regclass('production.' || name) IS NOT NULL THEN
        RETURN;
      END IF;
      -- Made beside and then attached, so that nobody who reads or writes events has to wait.
      EXECUTE format('CREATE TABLE production.%I (LIKE production.token_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
      EXECUTE format('ALTER TABLE production.token_event ATTACH PARTITION production.%I FOR VALUES FROM (%L) TO (%L)', name, first, next);
    END $$`);
  await q.query(
    `SELECT production.open_event_month(now() + make_interval(months => n)) FROM generate_series(0, 2) AS n`,
  );
  await q.query(`
    CREATE FUNCTION production.keep_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' AND OLD.event_time < now() - interval '3 years' AND OLD.created_at < now() - interval '3 years' THEN
        RETURN OLD;
      END IF;
      RAISE EXCEPTION '%.% is never rewritten: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'PR001', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
    END $$`);
  await q.query(`
    CREATE TRIGGER keep_event BEFORE UPDATE OR DELETE ON production.token_event
    FOR EACH ROW EXECUTE FUNCTION production.keep_event()`);
  await q.query(`
    CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON production.token_event
    FOR EACH STATEMENT EXECUTE FUNCTION production.refuse_change()`);
}
