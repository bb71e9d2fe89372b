import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

const plans = [
  { table: 'assignment_plan_node', plan: 'node_plan', key: 'graph_id' },
  { table: 'assignment_plan_job', plan: 'job_plan', key: 'job_ticket_id' },
] as const;

/** Which plan comes first: the smaller number. Can be taken back alone, and rows written meanwhile have 100. */
export class AddPlanPriority1764012400000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    for (const { table, plan, key } of plans) {
      if (await unpark(q, { column: `assignment.${table}.priority` })) continue;
      await q.query(`
        ALTER TABLE assignment.${table} ADD COLUMN priority integer NOT NULL DEFAULT 100
        CONSTRAINT ${plan}_priority_is_1_to_999 CHECK (priority BETWEEN 1 AND 999)`);
      await q.query(`CREATE INDEX ${plan}_in_order ON assignment.${table} (${key}, node_code, active, mode, priority)`);
    }
  }

  async down(q: QueryRunner): Promise<void> {
    for (const { table } of plans) await park(q, { column: `assignment.${table}.priority` });
  }
}
