import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

const table = 'assignment.assignment_log';

/** Every decision, why it came out so, and what people did about it. */
export class CreateLog1764012300000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unpark(q, { table })) return;
    await log(q);
    await months(q);
    await q.query(`SELECT assignment.grant_roles()`);
  }

  async down(q: QueryRunner): Promise<void> {
    await park(q, { table });
  }
}

async function log(q: QueryRunner): Promise<void> {
  // Identity columns of partitioned tables are younger than the oldest server that is supported.
  await q.query(`CREATE SEQUENCE assignment.assignment_log_id`);
  await q.query(`
    CREATE TABLE ${table} (
      id                      bigint NOT NULL DEFAULT nextval('assignment.assignment_log_id'),
      token_id                uuid,
      node_id                 uuid,
      job_ticket_id           uuid,
      assigned_to_type        text CONSTRAINT log_assignee_type_is_known CHECK (assigned_to_type IN ('operator', 'team')),
      assigned_to_id          uuid,
      operator_id             uuid,
      method                  text NOT NULL CONSTRAINT log_method_is_known
                              CHECK (method IN ('PIN', 'PLAN', 'AUTO', 'MANUAL', 'REASSIGN', 'HELP', 'SKIP')),
      event                   text NOT NULL CONSTRAINT log_event_is_known
                              CHECK (event IN ('assigned', 'queued', 'woken', 'unassigned', 'override', 'pin_set',
                                               'pin_unset', 'accepted', 'rejected', 'cancelled', 'resolver_error')),
      tier                    text CONSTRAINT log_tier_is_known
                              CHECK (tier IN ('token', 'job_node', 'node', 'job', 'node_default', 'auto', 'manual')),
      reason_code             text,
      reason_json             jsonb NOT NULL DEFAULT '{}'
                              CONSTRAINT log_reason_is_an_object CHECK (jsonb_typeof(reason_json) = 'object'),
      queue_reason            text,
      queue_position          integer,
      estimated_wait_minutes  integer,
      latency_ms              numeric(10,3),
      actor_id                uuid,
      created_at              timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (id, created_at)
    ) PARTITION BY RANGE (created_at)`);
  // Whatever no month has been made for.
  await q.query(`CREATE TABLE ${table}_default PARTITION OF ${table} DEFAULT`);
  await q.query(`CREATE INDEX log_by_node ON ${table} (node_id, created_at)`);
  await q.query(`CREATE INDEX log_by_token ON ${table} (token_id, created_at)`);
  await q.query(`CREATE INDEX log_by_assignee ON ${table} (assigned_to_type, assigned_to_id, created_at)`);
  await q.query(`
    CREATE TRIGGER block_mutation BEFORE UPDATE OR DELETE ON ${table}
    FOR EACH ROW EXECUTE FUNCTION assignment.block_mutation()`);
  await q.query(`
    CREATE TRIGGER block_truncate BEFORE TRUNCATE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION assignment.block_truncate()`);
}

/** Run by a role that may only insert and read, and yet must have the next months made. */
async function months(q: QueryRunner): Promise<void> {
  // A month with rows in the default partition stays there: they would have to be moved.
  await q.query(`
    CREATE FUNCTION assignment.make_log_months(from_day date, months integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET timezone = 'UTC' AS $$
    DECLARE
      month date;
      part text;
      taken boolean;
      made integer := 0;
    BEGIN
      FOR ahead IN 0 .. months - 1 LOOP
        month := (date_trunc('month', from_day) + make_interval(months => ahead))::date;
        part := 'assignment_log_' || to_char(month, 'YYYYMM');
        SELECT EXISTS (SELECT FROM ${table}_default
                       WHERE created_at >= month AND created_at < month + interval '1 month') INTO taken;
        IF taken OR to_regclass('assignment.' || part) IS NOT NULL THEN
          CONTINUE;
        END IF;
        EXECUTE format('CREATE TABLE assignment.%I PARTITION OF ${table} FOR VALUES FROM (%L) TO (%L)',
                       part, month::timestamptz, (month + interval '1 month')::timestamptz);
        made := made + 1;
      END LOOP;
      RETURN made;
    END $$`);
  await q.query(`
    CREATE FUNCTION assignment.drop_log_before(day date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET timezone = 'UTC' AS $$
    DECLARE
      part name;
      dropped integer := 0;
    BEGIN
      IF day > now() - interval '13 months' THEN
        RAISE EXCEPTION 'The log of the last 13 months is kept';
      END IF;
      FOR part IN SELECT c.relname FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
                  WHERE i.inhparent = '${table}'::regclass AND c.relname ~ '^assignment_log_[0-9]{6}$'
                    AND to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' <= day
      LOOP
        EXECUTE format('DROP TABLE assignment.%I', part);
        dropped := dropped + 1;
      END LOOP;
      DELETE FROM ${table} WHERE created_at < day;
      RETURN dropped;
    END $$`);
  await q.query(`REVOKE ALL ON FUNCTION assignment.make_log_months(date, integer) FROM PUBLIC`);
  await q.query(`REVOKE ALL ON FUNCTION assignment.drop_log_before(date) FROM PUBLIC`);
}
