import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

/** The schema, and how things are made: work centres, graphs, what was published of them, limits. */
export class CreateDesign1764010000000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unpark(q, 'production')) return;
    await q.query(`CREATE SCHEMA production`);
    await functions(q);
    await workCenters(q);
    await graphs(q);
    await nodes(q);
    await edges(q);
    for (const table of ['work_center', 'routing_graph', 'node_limit']) {
      await q.query(`SELECT production.version_rows('production.${table}')`);
    }
    for (const table of ['work_center', 'routing_graph', 'routing_graph_version', 'node_limit']) {
      await q.query(`SELECT platform.audit_table('production.${table}')`);
    }
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, 'production');
  }
}

async function functions(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION production.bump_row_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.row_version := OLD.row_version + 1;
      RETURN NEW;
    END $$`);
  await q.query(`
    CREATE FUNCTION production.version_rows(versioned regclass) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      EXECUTE format('CREATE TRIGGER bump_row_version BEFORE UPDATE ON %s FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION production.bump_row_version()', versioned);
    END $$`);
  await q.query(`
    CREATE FUNCTION production.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION '%.% is never rewritten: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'PR001', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME;
    END $$`);
}

async function workCenters(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.work_center (
      id                 uuid PRIMARY KEY,
      site_id            uuid NOT NULL,
      code               text NOT NULL CONSTRAINT work_center_code_is_unique UNIQUE,
      name               text NOT NULL,
      wip_limit          integer CONSTRAINT work_center_wip_limit_is_not_negative CHECK (wip_limit >= 0),
      concurrency_limit  integer CONSTRAINT work_center_concurrency_limit_is_not_negative CHECK (concurrency_limit >= 0),
      queue_limit        integer CONSTRAINT work_center_queue_limit_is_not_negative CHECK (queue_limit >= 0),
      active             boolean NOT NULL DEFAULT true,
      created_at         timestamptz NOT NULL DEFAULT now(),
      row_version        integer NOT NULL DEFAULT 1
    )`);
  await q.query(`CREATE INDEX work_center_by_site ON production.work_center (site_id)`);
}

async function graphs(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.routing_graph (
      id               uuid PRIMARY KEY,
      code             text NOT NULL CONSTRAINT routing_graph_code_is_unique UNIQUE,
      name             text NOT NULL,
      production_mode  text NOT NULL CONSTRAINT routing_graph_production_mode_is_known
                       CHECK (production_mode IN ('atelier', 'oem', 'hybrid')),
      status           text NOT NULL DEFAULT 'active' CONSTRAINT routing_graph_status_is_known
                       CHECK (status IN ('active', 'archived')),
      draft            jsonb NOT NULL,
      created_at       timestamptz NOT NULL DEFAULT now(),
      row_version      integer NOT NULL DEFAULT 1
    )`);
  await q.query(`
    CREATE TABLE production.routing_graph_version (
      id              uuid PRIMARY KEY,
      graph_id        uuid NOT NULL CONSTRAINT version_is_of_a_graph REFERENCES production.routing_graph (id),
      version         integer NOT NULL CONSTRAINT version_is_counted_from_1 CHECK (version >= 1),
      payload         jsonb NOT NULL,
      checksum        text NOT NULL,
      status          text NOT NULL DEFAULT 'published' CONSTRAINT version_status_is_known
                      CHECK (status IN ('published', 'retired')),
      allow_new_jobs  boolean NOT NULL DEFAULT true,
      published_at    timestamptz NOT NULL,
      published_by    uuid NOT NULL,
      created_at      timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT version_of_a_graph_is_unique UNIQUE (graph_id, version)
    )`);
  await q.query(`
    CREATE TRIGGER refuse_change BEFORE UPDATE ON production.routing_graph_version
    FOR EACH ROW WHEN ((to_jsonb(OLD) - '{status,allow_new_jobs}'::text[]) <> (to_jsonb(NEW) - '{status,allow_new_jobs}'::text[]))
    EXECUTE FUNCTION production.refuse_change()`);
  await q.query(`
    CREATE TRIGGER refuse_removal BEFORE DELETE ON production.routing_graph_version
    FOR EACH ROW EXECUTE FUNCTION production.refuse_change()`);
  await q.query(`
    CREATE TABLE production.node_limit (
      graph_id           uuid NOT NULL CONSTRAINT node_limit_is_of_a_graph REFERENCES production.routing_graph (id),
      node_code          text NOT NULL,
      wip_limit          integer CONSTRAINT node_wip_limit_is_not_negative CHECK (wip_limit >= 0),
      concurrency_limit  integer CONSTRAINT node_concurrency_limit_is_not_negative CHECK (concurrency_limit >= 0),
      queue_limit        integer CONSTRAINT node_queue_limit_is_not_negative CHECK (queue_limit >= 0),
      source             text NOT NULL CONSTRAINT node_limit_source_is_known CHECK (source IN ('design', 'manual')),
      created_at         timestamptz NOT NULL DEFAULT now(),
      row_version        integer NOT NULL DEFAULT 1,
      PRIMARY KEY (graph_id, node_code)
    )`);
}

async function nodes(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.routing_node (
      id                     uuid PRIMARY KEY,
      graph_version_id       uuid NOT NULL CONSTRAINT node_is_of_a_version
                             REFERENCES production.routing_graph_version (id),
      node_code              text NOT NULL,
      name                   text NOT NULL,
      node_type              text NOT NULL CONSTRAINT node_type_is_known
                             CHECK (node_type IN ('start', 'operation', 'qc', 'decision', 'split', 'join', 'wait', 'component',
                                                  'subgraph', 'handoff', 'rework_sink', 'end')),
      production_mode        text NOT NULL CONSTRAINT node_production_mode_is_known
                             CHECK (production_mode IN ('atelier', 'oem', 'hybrid')),
      work_center_id         uuid CONSTRAINT node_is_at_a_work_center REFERENCES production.work_center (id),
      team_category          text CONSTRAINT node_team_category_is_known
                             CHECK (team_category IN ('cutting', 'sewing', 'qc', 'finishing', 'general')),
      estimated_minutes      numeric(12,3) CONSTRAINT node_estimate_is_not_negative CHECK (estimated_minutes >= 0),
      estimate_basis         text NOT NULL DEFAULT 'unit' CONSTRAINT node_estimate_basis_is_known
                             CHECK (estimate_basis IN ('unit', 'fixed')),
      sla_minutes            integer CONSTRAINT node_sla_is_not_negative CHECK (sla_minutes >= 0),
      wip_limit              integer CONSTRAINT designed_wip_limit_is_not_negative CHECK (wip_limit >= 0),
      concurrency_limit      integer CONSTRAINT designed_concurrency_limit_is_not_negative CHECK (concurrency_limit >= 0),
      queue_limit            integer CONSTRAINT designed_queue_limit_is_not_negative CHECK (queue_limit >= 0),
      limit_scope            text NOT NULL DEFAULT 'NODE' CONSTRAINT node_limit_scope_is_known
                             CHECK (limit_scope IN ('NODE', 'INSTANCE')),
      assignment_policy      text NOT NULL DEFAULT 'AUTO' CONSTRAINT node_assignment_policy_is_known
                             CHECK (assignment_policy IN ('AUTO', 'PLANNED_ONLY', 'TEAM_PULL')),
      preferred_team_id      uuid,
      allowed_team_ids       uuid[] NOT NULL DEFAULT '{}',
      forbidden_team_ids     uuid[] NOT NULL DEFAULT '{}',
      allow_trainee          boolean NOT NULL DEFAULT false,
      split_policy           text CONSTRAINT node_split_policy_is_known
                             CHECK (split_policy IN ('ALL', 'CONDITIONAL', 'RATIO', 'MULTIPLY')),
      split_kind             text CONSTRAINT node_split_kind_is_known CHECK (split_kind IN ('COMPONENT', 'FORK')),
      join_type              text CONSTRAINT node_join_type_is_known CHECK (join_type IN ('AND', 'OR', 'N_OF_M')),
      join_quorum            integer CONSTRAINT node_join_quorum_is_at_least_1 CHECK (join_quorum >= 1),
      wait_window_minutes    integer CONSTRAINT node_wait_window_is_positive CHECK (wait_window_minutes > 0),
      timeout_node_code      text,
      wait_rule              jsonb,
      qc_policy              jsonb,
      scrap_policy           jsonb,
      form_schema            jsonb,
      form_role              text,
      anchor_component_code  text,
      reason_map             jsonb,
      material_policy        text NOT NULL DEFAULT 'warn' CONSTRAINT node_material_policy_is_known
                             CHECK (material_policy IN ('warn', 'block', 'off')),
      is_exception_end       boolean NOT NULL DEFAULT false,
      sequence_no            integer NOT NULL,
      subgraph_version_id    uuid,
      handoff_line           text,
      created_at             timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT node_code_is_unique_in_its_version UNIQUE (graph_version_id, node_code)
    )`);
  await q.query(`CREATE INDEX routing_node_by_work_center ON production.routing_node (work_center_id)`);
  await q.query(`
    CREATE TABLE production.node_required_skill (
      node_id      uuid NOT NULL CONSTRAINT skill_is_of_a_node REFERENCES production.routing_node (id),
      skill_code   text NOT NULL,
      min_level    integer NOT NULL CONSTRAINT required_level_is_1_to_5 CHECK (min_level BETWEEN 1 AND 5),
      is_required  boolean NOT NULL DEFAULT true,
      created_at   timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (node_id, skill_code)
    )`);
  await insertOnly(q, 'production.routing_node');
  await insertOnly(q, 'production.node_required_skill');
}

async function edges(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE TABLE production.routing_edge (
      id                uuid PRIMARY KEY,
      graph_version_id  uuid NOT NULL CONSTRAINT edge_is_of_a_version REFERENCES production.routing_graph_version (id),
      from_node_id      uuid NOT NULL CONSTRAINT edge_leaves_a_node REFERENCES production.routing_node (id),
      to_node_id        uuid NOT NULL CONSTRAINT edge_enters_a_node REFERENCES production.routing_node (id),
      edge_type         text NOT NULL CONSTRAINT edge_type_is_known
                        CHECK (edge_type IN ('normal', 'conditional', 'rework', 'event')),
      condition         jsonb,
      is_default        boolean NOT NULL DEFAULT false,
      priority          integer NOT NULL DEFAULT 0,
      weight            numeric(12,6) CONSTRAINT edge_weight_is_a_share CHECK (weight >= 0 AND weight <= 1),
      multiply          integer CONSTRAINT edge_multiplies_by_at_least_1 CHECK (multiply >= 1),
      component_code    text,
      label             text,
      sequence_no       integer NOT NULL,
      created_at        timestamptz NOT NULL DEFAULT now()
    )`);
  await q.query(`
    CREATE INDEX routing_edge_in_order ON production.routing_edge (from_node_id, priority DESC, sequence_no)`);
  await q.query(`CREATE INDEX routing_edge_by_version ON production.routing_edge (graph_version_id)`);
  await insertOnly(q, 'production.routing_edge');
}

async function insertOnly(q: QueryRunner, table: string): Promise<void> {
  await q.query(`
    CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON ${table}
    FOR EACH ROW EXECUTE FUNCTION production.refuse_change()`);
  // Triggers for rows do not fire for TRUNCATE.
  await q.query(`
    CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION production.refuse_change()`);
}
