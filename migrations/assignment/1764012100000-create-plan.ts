import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const tables = ['assignment.assignment_plan_node', 'assignment.assignment_plan_job', 'assignment.token_pin'];

/** What people decided beforehand: for a node of every job, for a job or one of its nodes, for a token. */
export class CreatePlan1764012100000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    // By its code, so that a plan outlives the version of the graph it was made for.
    await q.query(`
      CREATE TABLE assignment.assignment_plan_node (
        id                  uuid PRIMARY KEY,
        graph_id            uuid NOT NULL,
        node_code           text NOT NULL,
        ${planned('node_plan')}
      )`);
    await q.query(`
      CREATE UNIQUE INDEX node_plan_is_unique
      ON assignment.assignment_plan_node (graph_id, node_code, mode, assignee_type, assignee_id) WHERE active`);
    await q.query(`
      CREATE TABLE assignment.assignment_plan_job (
        id                  uuid PRIMARY KEY,
        job_ticket_id       uuid NOT NULL,
        node_code           text,
        ${planned('job_plan')}
      )`);
    await q.query(`
      CREATE UNIQUE INDEX job_plan_is_unique
      ON assignment.assignment_plan_job (job_ticket_id, node_code, mode, assignee_type, assignee_id)
      NULLS NOT DISTINCT WHERE active`);
    await q.query(`
      CREATE TABLE assignment.token_pin (
        id                  uuid PRIMARY KEY,
        token_id            uuid NOT NULL,
        node_code           text,
        assignee_type       text NOT NULL CONSTRAINT pin_assignee_type_is_known
                            CHECK (assignee_type IN ('operator', 'team')),
        assignee_id         uuid NOT NULL,
        unavailable_policy  text NOT NULL DEFAULT 'WAIT' CONSTRAINT pin_unavailable_policy_is_known
                            CHECK (unavailable_policy IN ('WAIT', 'NEXT')),
        reason              text,
        pinned_by           uuid NOT NULL,
        active              boolean NOT NULL DEFAULT true,
        created_at          timestamptz NOT NULL DEFAULT now(),
        row_version         integer NOT NULL DEFAULT 1
      )`);
    await q.query(`
      CREATE UNIQUE INDEX token_is_pinned_once ON assignment.token_pin (token_id, (coalesce(node_code, '*'))) WHERE active`);
    for (const table of tables) await q.query(`SELECT platform.audit_table('${table}')`);
    await q.query(`SELECT assignment.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}

/** The columns that both kinds of plans have; their priority comes by a migration of its own. */
function planned(plan: string): string {
  return `
        mode                text NOT NULL CONSTRAINT ${plan}_mode_is_known CHECK (mode IN ('PIN', 'PLAN')),
        assignee_type       text NOT NULL CONSTRAINT ${plan}_assignee_type_is_known
                            CHECK (assignee_type IN ('operator', 'team')),
        assignee_id         uuid NOT NULL,
        active              boolean NOT NULL DEFAULT true,
        valid_from          timestamptz,
        valid_to            timestamptz,
        unavailable_policy  text NOT NULL CONSTRAINT ${plan}_unavailable_policy_is_known
                            CHECK (unavailable_policy IN ('WAIT', 'NEXT')),
        reason              text,
        created_by          uuid NOT NULL,
        created_at          timestamptz NOT NULL DEFAULT now(),
        row_version         integer NOT NULL DEFAULT 1,
        CONSTRAINT ${plan}_ends_after_it_begins CHECK (valid_to > valid_from)`;
}
