import { describe, expect, it } from '@jest/globals';
import { connect, withMigratedDatabases } from './databases.js';

const kill = (flag: string, off = true) =>
  `SELECT control.override_flag('live', '${flag}', ${off}, 'stops the line', 'maria') AS seq`;

describe('a flag override', () => {
  it('is one row a flag and scope, with a number that only grows', async () => {
    await withMigratedDatabases(async ({ control }) => {
      expect(await control(kill('a'))).toEqual([{ seq: '1' }]);
      expect(await control(kill('b'))).toEqual([{ seq: '2' }]);
      expect(await control(kill('a', false))).toEqual([{ seq: '3' }]);
      expect(
        await control(`SELECT scope, flag, off, seq, reason, actor FROM control.flag_override ORDER BY seq`),
      ).toEqual([
        { scope: 'live', flag: 'b', off: true, seq: '2', reason: 'stops the line', actor: 'maria' },
        { scope: 'live', flag: 'a', off: false, seq: '3', reason: 'stops the line', actor: 'maria' },
      ]);
    });
  });

  it('is announced once when it is committed, and not when it is not', async () => {
    await withMigratedDatabases(async ({ targets, control }) => {
      await using listener = await connect(targets.controlUrl);
      const heard: (string | undefined)[] = [];
      listener.on('notification', (notification) => heard.push(notification.payload));
      await listener.query(`LISTEN control_flag`);

      await control(kill('a'));
      await control(`BEGIN; ${kill('b')}; ROLLBACK`);
      await control(
        `INSERT INTO control.flag_override (flag, off, reason, actor) VALUES ('c', true, 'by hand', 'maria')`,
      );
      await listener.query(`SELECT 1`);
      expect(heard).toEqual(['1', '3']);
    });
  });

  it('becomes visible in the order of the numbers, however many write at once', async () => {
    await withMigratedDatabases(async ({ targets }) => {
      await using reader = await connect(targets.controlUrl);
      const seen: number[] = [];
      const done = new AbortController();
      const reading = (async () => {
        while (!done.signal.aborted) {
          const { rows } = await reader.query<{ seq: string }>(`SELECT seq FROM control.flag_override ORDER BY seq`);
          for (const { seq } of rows) if (!seen.includes(Number(seq))) seen.push(Number(seq));
        }
      })();
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        await using client = await connect(targets.controlUrl);
        for (let turn = 0; turn < 10; turn++) {
          await client.query(`BEGIN; ${kill(`f${writer}-${turn}`)}; SELECT pg_sleep(${Math.random() * 0.01}); COMMIT`);
        }
      });
      await Promise.all(writers);
      done.abort();
      await reading;

      expect(seen.length).toBeGreaterThan(40);
      expect(seen).toEqual(seen.toSorted((one, other) => one - other));
    });
  });

  it('may be written by hand when the number grows, and the next one is above it', async () => {
    await withMigratedDatabases(async ({ control }) => {
      await control(kill('a'));
      await expect(control(`UPDATE control.flag_override SET off = false`)).rejects.toThrow('must grow');
      await expect(
        control(
          `INSERT INTO control.flag_override (flag, off, seq, reason, actor) VALUES ('b', true, 1, 'by hand', 'maria')`,
        ),
      ).rejects.toThrow('must grow');
      await control(`UPDATE control.flag_override SET off = false, seq = 40 WHERE flag = 'a'`);
      expect(await control(kill('b'))).toEqual([{ seq: '41' }]);
    });
  });

  it('of the live scope is never deleted', async () => {
    await withMigratedDatabases(async ({ control }) => {
      await control(kill('a'));
      await control(`SELECT control.override_flag('drill', 'a', true, 'quarterly drill', 'maria')`);
      await expect(control(`DELETE FROM control.flag_override`)).rejects.toThrow('never deleted');
      await expect(control(`TRUNCATE control.flag_override`)).rejects.toThrow('does not allow TRUNCATE');
      await control(`DELETE FROM control.flag_override WHERE scope = 'drill'`);
      expect(await control(`SELECT scope FROM control.flag_override`)).toEqual([{ scope: 'live' }]);
    });
  });
});

describe('the audit trail', () => {
  const entry = `
    INSERT INTO control.audit_entry (seq, at, actor, action, subject, environment, outcome, prev_hash, hash)
    VALUES (1, now(), '{"id": "maria"}', 'flag.off', 'a', 'test', 'done', decode(repeat('00', 32), 'hex'), decode(repeat('ab', 32), 'hex'))`;
  const anchor = `INSERT INTO control.audit_anchor (seq, at, hash, merkle_root, signature, key_id) VALUES (1, now(), '', '', '', 'k')`;

  it.each([
    ['audit_entry', entry],
    ['audit_anchor', anchor],
  ])('lets %s grow and nothing else, even for its owner', async (table, insert) => {
    await withMigratedDatabases(async ({ control }) => {
      await control(insert);
      for (const statement of [
        `UPDATE control.${table} SET at = now()`,
        `UPDATE control.${table} SET at = now() WHERE false`,
        `DELETE FROM control.${table}`,
        `TRUNCATE control.${table}`,
      ]) {
        await expect(control(statement)).rejects.toThrow('does not allow');
      }
      expect(await control(`SELECT seq FROM control.${table}`)).toEqual([{ seq: '1' }]);
    });
  });

  it('is refused to its owner by the grants alone', async () => {
    await withMigratedDatabases(async ({ control }) => {
      const may = ['INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE'].map(
        (right) => `has_table_privilege(owner.oid, 'control.audit_entry', '${right}')`,
      );
      const role = `owner_${Date.now()}`;
      await control(`CREATE ROLE ${role}`);
      try {
        await control(`ALTER TABLE control.audit_entry OWNER TO ${role}`);
        const [row] = await control(
          `SELECT ARRAY[${may.join(', ')}] AS rights FROM pg_roles owner WHERE rolname = '${role}'`,
        );
        expect(row).toEqual({ rights: [true, true, false, false, false] });
      } finally {
        await control(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
      }
    });
  });

  it('has exactly one head, from which the first entry follows', async () => {
    await withMigratedDatabases(async ({ control }) => {
      expect(await control(`SELECT seq, encode(hash, 'hex') AS hash FROM control.audit_head`)).toEqual([
        { seq: '0', hash: '00'.repeat(32) },
      ]);
      await expect(
        control(`INSERT INTO control.audit_head (id, seq, hash) SELECT 2, seq, hash FROM control.audit_head`),
      ).rejects.toThrow('one_row');
      await expect(control(`DELETE FROM control.audit_head`)).rejects.toThrow('does not allow DELETE');
    });
  });
});
