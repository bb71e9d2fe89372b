import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { parkTables, unparkTables } from '../support/park.js';

const archived = [
  'flow_token',
  'token_node_visit',
  'token_work_session',
  'token_assignment',
  'token_parallel_group',
] as const;
const tables = archived.map((table) => `production.${table}_archive`);

/** Where tokens go with all that belongs to them when their job has ended long ago, and what lets old events go. */
export class CreateArchive1764010500000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    if (await unparkTables(q, tables)) return;
    // The time stands first, so that a column that a table gains later can be added to both at the end.
    for (const table of archived) {
      await q.query(`
        CREATE TABLE production.${table}_archive (
          archived_at timestamptz NOT NULL,
          LIKE production.${table},
          PRIMARY KEY (id)
        )`);
      await q.query(`CREATE INDEX ${table}_archive_by_time ON production.${table}_archive (archived_at)`);
    }
    for (const table of ['token_node_visit', 'token_work_session', 'token_assignment']) {
      await q.query(`CREATE INDEX ${table}_archive_by_token ON production.${table}_archive (token_id)`);
    }
    await q.query(`CREATE INDEX flow_token_archive_by_instance ON production.flow_token_archive (instance_id)`);
    await dropping(q);
  }

  async down(q: QueryRunner): Promise<void> {
    await parkTables(q, tables);
  }
}

/** Only whole months go at once; what lies beside them goes row by row. */
async function dropping(q: QueryRunner): Promise<void> {
  await q.query(`
    CREATE FUNCTION production.drop_old_events() RETURNS integer LANGUAGE plpgsql AS $$
    DECLARE
      month record;
      young boolean;
      dropped integer := 0;
      before timestamptz := now() - interval '3 years';
    BEGIN
      FOR month IN
        SELECT c.oid::regclass AS name, (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' AS ends
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'production.token_event'::regclass AND c.relname ~ '^token_event_[0-9]{4}_[0-9]{2}$'
      LOOP
        CONTINUE WHEN month.ends > before;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE created_at >= $1)', month.name) INTO young USING before;
        CONTINUE WHEN young;
        EXECUTE format('DROP TABLE %s', month.name);
        dropped := dropped + 1;
      END LOOP;
      DELETE FROM production.token_event_other WHERE event_time < before AND created_at < before;
      RETURN dropped;
    END $$`);
}
