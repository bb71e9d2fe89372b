import { describe, expect, it } from '@jest/globals';
import { connect, type OwnDatabases, withMigratedDatabases } from './databases.js';

async function withAuditedTable(work: (databases: OwnDatabases) => Promise<void>): Promise<void> {
  await withMigratedDatabases(async (databases) => {
    await databases.query(`
      CREATE TABLE public.item (id integer PRIMARY KEY, name text, facts json);
      SELECT platform.audit_table('public.item')`);
    await work(databases);
  });
}

const log = `SELECT schema_name, table_name, record, operation, old, new FROM platform.audit_log ORDER BY id`;

describe('the audit log', () => {
  it('has the row before and after every insert, update and delete', async () => {
    await withAuditedTable(async ({ query }) => {
      await query(`INSERT INTO item VALUES (1, 'rope', '{"m": 60}')`);
      await query(`UPDATE item SET name = 'cord'`);
      await query(`DELETE FROM item`);
      const place = { schema_name: 'public', table_name: 'item', record: { id: 1 } };
      const [rope, cord] = ['rope', 'cord'].map((name) => ({ id: 1, name, facts: { m: 60 } }));
      expect(await query(log)).toEqual([
        { ...place, operation: 'INSERT', old: null, new: rope },
        { ...place, operation: 'UPDATE', old: rope, new: cord },
        { ...place, operation: 'DELETE', old: cord, new: null },
      ]);
    });
  });

  it('says who, under which request, why and in which transaction, when that was set', async () => {
    await withAuditedTable(async ({ targets, query }) => {
      await using client = await connect(targets.databaseUrl);
      await client.query(`
        BEGIN;
        SET LOCAL belay.actor = 'maria'; SET LOCAL belay.request_id = 'r-1'; SET LOCAL belay.reason = 'recount';
        INSERT INTO item VALUES (1, 'rope', NULL), (2, 'cord', NULL);
        COMMIT;
        INSERT INTO item VALUES (3, 'sling', NULL)`);
      const by = { actor: 'maria', request_id: 'r-1', reason: 'recount' };
      expect(await query(`SELECT actor, request_id, reason FROM platform.audit_log ORDER BY id`)).toEqual([
        by,
        by,
        { actor: null, request_id: null, reason: null },
      ]);
      const [together] = await query(`
        SELECT count(DISTINCT txid)::int AS transactions, bool_and(pg_visible_in_snapshot(txid, pg_current_snapshot())) AS visible
        FROM platform.audit_log`);
      expect(together).toEqual({ transactions: 2, visible: true });
    });
  });

  it('has nothing of an update that changes nothing, or of a transaction that was undone', async () => {
    await withAuditedTable(async ({ query }) => {
      await query(`BEGIN; INSERT INTO item VALUES (1, 'rope', NULL); ROLLBACK`);
      expect(await query(log)).toEqual([]);
      await query(`INSERT INTO item VALUES (1, 'rope', '{}'), (2, NULL, NULL)`);
      await query(`UPDATE item SET name = name, facts = facts`);
      expect(await query(log)).toHaveLength(2);
      await query(`UPDATE item SET name = '' WHERE name IS NULL`);
      expect(await query(log)).toHaveLength(3);
    });
  });

  it('tells of a changed key as one record that ended and one that began', async () => {
    await withAuditedTable(async ({ query }) => {
      await query(`INSERT INTO item VALUES (1, 'rope', NULL)`);
      await query(`UPDATE item SET id = 2`);
      expect((await query(log)).slice(1)).toMatchObject([
        { record: { id: 1 }, operation: 'DELETE', old: { id: 1, name: 'rope' }, new: null },
        { record: { id: 2 }, operation: 'INSERT', old: null, new: { id: 2, name: 'rope' } },
      ]);
    });
  });

  it('knows a record by all columns of its key, and refuses a table that has none', async () => {
    await withAuditedTable(async ({ query }) => {
      await query(`
        CREATE TABLE public.shelf (site text, no integer, label text, PRIMARY KEY (site, no));
        SELECT platform.audit_table('public.shelf');
        INSERT INTO shelf VALUES ('BER', 4, 'top')`);
      expect(await query(`SELECT record FROM platform.audit_log`)).toEqual([{ record: { site: 'BER', no: 4 } }]);
      await query(`CREATE TABLE public.keyless (id integer)`);
      await expect(query(`SELECT platform.audit_table('public.keyless')`)).rejects.toThrow('no primary key');
    });
  });

  it('refuses to truncate a table, which would lose rows without a trace', async () => {
    await withAuditedTable(async ({ query }) => {
      await query(`INSERT INTO item VALUES (1, 'rope', NULL)`);
      await expect(query(`TRUNCATE item`)).rejects.toThrow('does not allow TRUNCATE');
      expect(await query(`SELECT id FROM item`)).toEqual([{ id: 1 }]);
    });
  });

  it.each([
    'UPDATE platform.audit_log SET actor = NULL',
    'DELETE FROM platform.audit_log',
    'TRUNCATE platform.audit_log',
  ])('refuses %s', async (statement) => {
    await withAuditedTable(async ({ query }) => {
      await query(`INSERT INTO item VALUES (1, 'rope', NULL)`);
      await expect(query(statement)).rejects.toThrow('does not allow');
      expect(await query(log)).toHaveLength(1);
    });
  });
});
