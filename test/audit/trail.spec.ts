import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditTrail, GENESIS, hashOf } from '@belay/platform';
import pg from 'pg';
import { act, openTrail, type Trail } from './trail.js';

describe('the audit trail', () => {
  let own: Trail;
  beforeEach(async () => {
    own = await openTrail();
  });
  afterEach(() => own.close());

  const write = async (count: number) => {
    for (let n = 1; n <= count; n++) await own.trail.append(act(`flag-${n}`));
  };
  const broken = async () => (await own.trail.verify()).broken;

  it('has who did what, when, why and how it ended, chained from 32 zero bytes', async () => {
    const full = act('enable_sop_module', {
      actor: { id: 'maria', role: 'ops_operator', session: 's-1', ip: '10.0.0.7' },
      reason: 'Ünnötig langsam: „kaputt“',
      planId: 'a'.repeat(64),
      runId: '0193A7C0-0000-7000-8000-000000000001',
      beforeDigest: 'b'.repeat(64),
      afterDigest: 'c'.repeat(64),
    });
    const first = await own.trail.append(full);
    await own.trail.append(act('enable_wms_module'));
    const { rows } = await own.control.query<Record<string, unknown>>(`
      SELECT seq, actor, action, subject, environment, reason, plan_id, run_id, before_digest, after_digest, outcome,
             prev_hash, hash, clock_timestamp() - at < interval '5 s' AS now
      FROM control.audit_entry ORDER BY seq`);
    expect(rows[0]).toEqual({
      seq: '1',
      actor: full.actor,
      action: 'flag.off',
      subject: 'enable_sop_module',
      environment: 'test',
      reason: full.reason,
      plan_id: full.planId,
      run_id: '0193a7c0-0000-7000-8000-000000000001',
      before_digest: full.beforeDigest,
      after_digest: full.afterDigest,
      outcome: 'done',
      prev_hash: GENESIS,
      hash: first.hash,
      now: true,
    });
    expect(rows[1]).toMatchObject({ seq: '2', reason: null, run_id: null, prev_hash: first.hash });
    expect(await broken()).toBeUndefined();
  });

  it('can be verified by anybody who reads it, without this code', async () => {
    const { hash } = await own.trail.append(act('a'));
    const { rows } = await own.control.query<{ same: boolean }>(
      `SELECT sha256(prev_hash || convert_to(
         format('{"action":%s,"actor":{"id":%s,"ip":%s,"role":%s,"session":null},"afterDigest":null,"at":"%s",' ||
                '"beforeDigest":null,"environment":%s,"outcome":%s,"planId":null,"reason":null,"runId":null,"seq":%s,"subject":%s}',
           to_json(action), actor->'id', actor->'ip', actor->'role', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           to_json(environment), to_json(outcome), seq, to_json(subject)), 'UTF8')) = hash AS same
       FROM control.audit_entry WHERE hash = $1`,
      [hash],
    );
    expect(rows).toEqual([{ same: true }]);
  });

  it('takes every text, and has what is stored', async () => {
    const texts = ['', ' ', '\0', 'a\0b', '\uD800', '\uDC00x', '"\\\n\u2028', '€𐍈', 'é', 'é', '{"a":1}', '1e400'];
    for (const text of texts) await own.trail.append(act(text, { reason: text, actor: { id: text } }));
    expect(await broken()).toBeUndefined();
    const { rows } = await own.control.query<{ subject: string }>(
      `SELECT subject FROM control.audit_entry WHERE subject <> reason OR subject <> actor ->> 'id'`,
    );
    expect(rows).toEqual([]);
  });

  it('refuses an entry that lacks what makes it one', async () => {
    await expect(own.trail.append(act('a', { runId: 'run-1' }))).rejects.toThrow('UUID');
    expect(await own.trail.verify()).toMatchObject({ entries: 0, head: { seq: 0 } });
  });

  it('has no gap and one order, however many append at once', async () => {
    const pools = Array.from({ length: 4 }, () => new pg.Pool({ connectionString: own.controlUrl, max: 1 }));
    const appended = await Promise.all(
      pools.flatMap((pool) => {
        const trail = new AuditTrail(pool);
        return Array.from({ length: 50 }, (_, n) => trail.append(act(`flag-${n}`)));
      }),
    );
    await Promise.all(pools.map((pool) => pool.end()));
    expect(appended.map(({ seq }) => seq).sort((one, other) => one - other)).toEqual(
      Array.from({ length: 200 }, (_, n) => n + 1),
    );
    expect(await own.trail.verify()).toMatchObject({ broken: undefined, entries: 200, head: { seq: 200 } });
    const { rows } = await own.control.query(
      `SELECT seq FROM (SELECT seq, at, lag(at) OVER (ORDER BY seq) AS before FROM control.audit_entry) AS entry WHERE at < before`,
    );
    expect(rows).toEqual([]);
  });

  it('has an entry exactly when the transaction it belongs to commits', async () => {
    const client = await own.control.connect();
    await client.query('BEGIN');
    await own.trail.append(act('undone'), client);
    await client.query('ROLLBACK');
    await client.query('BEGIN');
    await own.trail.append(act('one'), client);
    await own.trail.append(act('two'), client);
    await client.query('COMMIT');
    client.release();
    const { rows } = await own.control.query(`SELECT seq, subject FROM control.audit_entry ORDER BY seq`);
    expect(rows).toEqual([
      { seq: '1', subject: 'one' },
      { seq: '2', subject: 'two' },
    ]);
    expect(await broken()).toBeUndefined();
  });

  it('leaves no connection behind when an entry cannot be written', async () => {
    await own.tamper('DELETE FROM control.audit_head');
    for (let n = 0; n < 8; n++) await expect(own.trail.append(act('a'))).rejects.toThrow('lost its head');
    expect(own.control.totalCount - own.control.idleCount).toBe(0);
  });

  it.each([
    ['a word changed', `UPDATE control.audit_entry SET reason = 'none' WHERE seq = 5`, 'changed', 5],
    ['the actor changed', `UPDATE control.audit_entry SET actor = '{"id": "otto"}' WHERE seq = 5`, 'changed', 5],
    ['a fact added', `UPDATE control.audit_entry SET actor = actor || '{"x": 1}' WHERE seq = 5`, 'changed', 5],
    ['the time changed', `UPDATE control.audit_entry SET at = at + interval '1 ms' WHERE seq = 5`, 'changed', 5],
    ['the hash changed', `UPDATE control.audit_entry SET hash = sha256('x') WHERE seq = 5`, 'changed', 5],
    ['the link changed', `UPDATE control.audit_entry SET prev_hash = sha256('x') WHERE seq = 5`, 'changed', 5],
    ['the first changed', `UPDATE control.audit_entry SET subject = 'x' WHERE seq = 1`, 'changed', 1],
    ['the last changed', `UPDATE control.audit_entry SET subject = 'x' WHERE seq = 9`, 'changed', 9],
    ['one deleted', `DELETE FROM control.audit_entry WHERE seq = 5`, 'deleted', 5],
    ['the first deleted', `DELETE FROM control.audit_entry WHERE seq = 1`, 'deleted', 1],
    ['the last deleted', `DELETE FROM control.audit_entry WHERE seq = 9`, 'deleted', 9],
    ['several deleted', `DELETE FROM control.audit_entry WHERE seq BETWEEN 3 AND 6`, 'deleted', 3],
    ['all deleted', `DELETE FROM control.audit_entry`, 'deleted', 1],
    [
      'one deleted and the gap closed',
      `DELETE FROM control.audit_entry WHERE seq = 5; UPDATE control.audit_entry SET seq = seq - 1 WHERE seq > 5`,
      'deleted',
      5,
    ],
    [
      'two neighbours swapped',
      `UPDATE control.audit_entry SET seq = -seq WHERE seq IN (5, 6); UPDATE control.audit_entry SET seq = 11 + seq WHERE seq < 0`,
      'reordered',
      5,
    ],
    [
      'the first and the last swapped',
      `UPDATE control.audit_entry SET seq = -seq WHERE seq IN (1, 9); UPDATE control.audit_entry SET seq = 10 + seq WHERE seq < 0`,
      'reordered',
      1,
    ],
    [
      'one moved to the front',
      `UPDATE control.audit_entry SET seq = -seq WHERE seq BETWEEN 3 AND 7;
       UPDATE control.audit_entry SET seq = CASE seq WHEN -7 THEN 3 ELSE 1 - seq END WHERE seq < 0`,
      'reordered',
      3,
    ],
    ['one moved to the end', `UPDATE control.audit_entry SET seq = 10 WHERE seq = 5`, 'reordered', 5],
    ['the head set back', `UPDATE control.audit_head SET seq = 7`, 'inserted', 8],
    ['the head set forward', `UPDATE control.audit_head SET seq = 10`, 'deleted', 10],
    ['the hash of the head changed', `UPDATE control.audit_head SET hash = sha256('x')`, 'head-mismatch', 9],
    ['the head deleted', `DELETE FROM control.audit_head`, 'head-mismatch', 9],
  ])('names the entry and the damage: %s', async (_damage, sql, reason, seq) => {
    await write(9);
    expect(await broken()).toBeUndefined();
    await own.tamper(sql);
    expect(await broken()).toEqual({ seq, reason });
  });

  describe('names an entry that was smuggled in', () => {
    const values = `at, actor, action, 'forged', environment, reason, plan_id, run_id, before_digest, after_digest, outcome`;
    const forge = (seq: number, hashes: string) =>
      `INSERT INTO control.audit_entry SELECT ${seq}, ${values}, ${hashes} FROM control.audit_entry WHERE seq = 2`;
    // Every number is free again before it is given.
    const makeRoom = `UPDATE control.audit_entry SET seq = -seq WHERE seq >= 5; UPDATE control.audit_entry SET seq = 1 - seq WHERE seq < 0`;

    it.each([
      ['before the first', forge(0, `prev_hash, hash`), 0],
      ['after the last', forge(10, `(SELECT hash FROM control.audit_head), sha256('x')`), 10],
      ['between others, with hashes of its own', `${makeRoom}; ${forge(5, `sha256('x'), sha256('y')`)}`, 5],
      ['between others, as a copy of another', `${makeRoom}; ${forge(5, `prev_hash, hash`)}`, 5],
    ])('%s', async (_where, sql, seq) => {
      await write(9);
      await own.tamper(sql);
      expect(await broken()).toEqual({ seq, reason: 'inserted' });
    });

    it('between others, with the right hashes', async () => {
      await write(9);
      const fourth = await own.control.query<{ hash: Buffer }>('SELECT hash FROM control.audit_entry WHERE seq = 4');
      const prevHash = fourth.rows[0]?.hash ?? GENESIS;
      const at = '2026-01-01T00:00:00.000Z';
      const facts = {
        action: 'flag.off',
        subject: 'forged',
        environment: 'test',
        outcome: 'done',
        actor: { id: 'otto' },
      };
      const absent = { reason: null, planId: null, runId: null, beforeDigest: null, afterDigest: null };
      const hash = hashOf(prevHash, { ...facts, ...absent, seq: 5, at });
      await own.tamper(makeRoom);
      await own.tamper(
        `INSERT INTO control.audit_entry (seq, at, actor, action, subject, environment, outcome, prev_hash, hash)
         VALUES (5, $1, $2, 'flag.off', 'forged', 'test', 'done', $3, $4)`,
        [at, facts.actor, prevHash, hash],
      );
      expect(await broken()).toEqual({ seq: 5, reason: 'inserted' });
    });
  });

  it('names a changed entry also when its own hash was made to fit', async () => {
    await write(3);
    const { rows } = await own.control.query<{ prev_hash: Buffer; at: Date }>(
      'SELECT prev_hash, at FROM control.audit_entry WHERE seq = 2',
    );
    const [row] = rows;
    if (!row) throw new Error('There is no entry 2');
    const { actor, action, environment, outcome } = act('x');
    const absent = { reason: null, planId: null, runId: null, beforeDigest: null, afterDigest: null };
    const forged = {
      actor,
      action,
      subject: 'forged',
      environment,
      outcome,
      ...absent,
      seq: 2,
      at: row.at.toISOString(),
    };
    const hash = hashOf(row.prev_hash, forged);
    await own.tamper(`UPDATE control.audit_entry SET subject = 'forged', hash = $1 WHERE seq = 2`, [hash]);
    expect(await broken()).toEqual({ seq: 2, reason: 'changed' });
  });

  it('verifies a range, which is whole when the damage is elsewhere', async () => {
    await write(9);
    const of = async (from: number, to?: number) => {
      const { broken: at, entries } = await own.trail.verify(to === undefined ? { from } : { from, to });
      return [entries, at];
    };
    expect(await of(4, 6)).toEqual([3, undefined]);
    await own.tamper(`UPDATE control.audit_entry SET reason = 'none' WHERE seq = 5`);
    expect(await of(1, 4)).toEqual([4, undefined]);
    expect(await of(4, 5)).toEqual([1, { seq: 5, reason: 'changed' }]);
    expect(await of(6)).toEqual([4, undefined]);
    expect(await of(8, 100)).toEqual([2, undefined]);
    expect(await of(50)).toEqual([0, undefined]);
    await own.tamper(`DELETE FROM control.audit_entry WHERE seq = 7`);
    expect(await of(8)).toEqual([0, { seq: 7, reason: 'deleted' }]);
    expect(await of(6, 7)).toEqual([1, { seq: 7, reason: 'deleted' }]);
  });

  it('verifies the chain as it was when it was asked, while others append', async () => {
    await write(20);
    const appending = Promise.all(Array.from({ length: 50 }, (_, n) => own.trail.append(act(`late-${n}`))));
    for (let turn = 0; turn < 10; turn++) {
      const { broken: at, entries, head } = await own.trail.verify();
      expect(at).toBeUndefined();
      expect(entries).toBe(head?.seq);
    }
    await appending;
  });

  describe('is refused to everybody', () => {
    const changes = [
      `UPDATE control.audit_entry SET subject = 'x'`,
      `DELETE FROM control.audit_entry`,
      `TRUNCATE control.audit_entry`,
    ];

    it.each(changes)('by trigger, to a superuser too: %s', async (sql) => {
      await write(2);
      await expect(own.control.query(sql)).rejects.toThrow('does not allow');
      expect(await broken()).toBeUndefined();
    });

    it('by grant, to a role that may only append and read', async () => {
      await write(1);
      const role = `app_${Date.now()}`;
      await own.control.query(`
        CREATE ROLE ${role} LOGIN PASSWORD '${role}';
        GRANT USAGE ON SCHEMA control TO ${role};
        GRANT SELECT, INSERT ON control.audit_entry TO ${role};
        GRANT SELECT, UPDATE ON control.audit_head TO ${role}`);
      const url = new URL(own.controlUrl);
      url.username = role;
      url.password = role;
      const pool = new pg.Pool({ connectionString: url.href, max: 1 });
      try {
        const trail = new AuditTrail(pool);
        await trail.append(act('by the application'));
        expect(await trail.verify()).toMatchObject({ broken: undefined, entries: 2 });
        for (const sql of changes) await expect(pool.query(sql)).rejects.toThrow('permission denied');
        await expect(pool.query('SET session_replication_role = replica')).rejects.toThrow('permission denied');
        await expect(pool.query('ALTER TABLE control.audit_entry DISABLE TRIGGER ALL')).rejects.toThrow(
          'must be owner',
        );
      } finally {
        await pool.end();
        await own.control.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      }
    });
  });
});
