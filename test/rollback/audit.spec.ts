import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { GENESIS, hashOf, readConfig, type AuditTrail } from '@belay/platform';
import fc from 'fast-check';
import { Anchors } from '../../libs/rollback/src/audit/anchors.service.js';
import { anchorView } from '../../libs/rollback/src/audit/anchor.contract.js';
import { AuditReader } from '../../libs/rollback/src/audit/audit-reader.service.js';
import { verifyExport } from '../../libs/rollback/src/audit/export-verify.js';
import { AuditExports } from '../../libs/rollback/src/audit/exports.service.js';
import { LocalJournal } from '../../libs/rollback/src/emergency/local-journal.js';
import { hostActor } from '../../libs/rollback/src/engine/actor.js';
import { Signer } from '../../libs/rollback/src/engine/signer.js';
import { act, openTrail, type Trail } from '../audit/trail.js';
import { FlagsFile } from '../gate/flags-file.js';
import { openWorld } from './run-room.js';

const folder = mkdtempSync(join(tmpdir(), 'belay-test-audit-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the audit trail', () => {
  let own: Trail;
  let stop: AsyncDisposableStack;
  let file: string;
  let anchors: Anchors;
  let open: () => Anchors;
  let reader: AuditReader;
  let exports: AuditExports;
  let environment: Record<string, string>;

  beforeEach(async () => {
    stop = new AsyncDisposableStack();
    own = stop.adopt(await openTrail(), (one) => one.close());
    const flags = stop.adopt(new FlagsFile([]), (one) => {
      one.remove();
    });
    file = join(folder, `${randomBytes(4).toString('hex')}.jsonl`);
    environment = {
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      SECRET_KEY: randomBytes(32).toString('base64'),
      DATABASE_URL: own.controlUrl,
      CONTROL_DATABASE_URL: own.controlUrl,
      FLAGS_FILE: flags.path,
      AUDIT_ANCHOR_FILE: file,
    };
    const world = stop.use(await openWorld(readConfig(environment), [], []));
    open = () => new Anchors(world, own.trail);
    anchors = open();
    reader = new AuditReader(world, own.trail, anchors);
    exports = new AuditExports(world, own.trail);
  });
  afterEach(() => stop.disposeAsync());

  /** Many at once, chained by this code and not by the trail's. */
  const write = async (count: number) => {
    const { rows: head } = await own.control.query<{ seq: string; hash: Buffer }>(
      `SELECT seq, hash FROM control.audit_head`,
    );
    let [seq, prevHash] = [Number(head[0]?.seq), head[0]?.hash ?? GENESIS];
    const rows: object[] = [];
    const facts = { action: 'flag.off', environment: 'test', outcome: 'done' };
    const actor = { id: 'maria', role: null, session: null, ip: null };
    const none = { reason: null, planId: null, runId: null, beforeDigest: null, afterDigest: null };
    for (let number = 0; number < count; number++) {
      seq += 1;
      const entry = { seq, at: new Date().toISOString(), actor, subject: `flag-${seq}`, ...facts, ...none };
      const hash = hashOf(prevHash, entry);
      rows.push({ ...entry, prev: prevHash.toString('hex'), own: hash.toString('hex') });
      prevHash = hash;
    }
    await own.control.query(
      `INSERT INTO control.audit_entry (seq, at, actor, action, subject, environment, outcome, prev_hash, hash)
       SELECT seq, at, actor, action, subject, environment, outcome, decode(prev, 'hex'), decode(own, 'hex')
       FROM jsonb_to_recordset($1::jsonb) AS one(seq bigint, at timestamptz, actor jsonb, action text, subject text,
            environment text, outcome text, prev text, own text)`,
      [JSON.stringify(rows)],
    );
    await own.control.query(`UPDATE control.audit_head SET seq = $1, hash = $2`, [seq, prevHash]);
  };
  const lines = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');

  it('is anchored after a thousand entries, and not before', async () => {
    await write(999);
    expect(await anchors.make()).toEqual([]);
    await write(1);
    expect(await anchors.make()).toMatchObject([{ from: 1, seq: 1_000 }]);
    await write(2_001);
    expect(await anchors.make()).toMatchObject([
      { from: 1_001, seq: 2_000 },
      { from: 2_001, seq: 3_000 },
    ]);
    expect(lines()).toHaveLength(3);
    expect(await reader.verify({})).toMatchObject({
      ok: true,
      entries: 3_001,
      anchors: { count: 3, last: 3_000, file: { present: true, anchors: 3 }, findings: [] },
    });
  });

  it('is anchored when the oldest entry has waited for five minutes', async () => {
    await write(2);
    const aged = (seconds: number) =>
      own.tamper(`UPDATE control.audit_entry SET at = clock_timestamp() - $1 * interval '1 s' WHERE seq = 1`, [
        seconds,
      ]);
    await aged(290);
    expect(await anchors.make()).toEqual([]);
    await aged(301);
    expect(await anchors.make()).toMatchObject([{ from: 1, seq: 2 }]);
    expect(await anchors.make()).toEqual([]);
  });

  it('is anchored once, however many processes would', async () => {
    await write(3_000);
    const made = await Promise.all([open().make(), open().make(), open().make()]);
    await open().make();
    expect(
      made
        .flat()
        .map(({ seq }) => seq)
        .sort((one, other) => one - other),
    ).toEqual([1_000, 2_000, 3_000]);
    expect(lines()).toHaveLength(3);
  });

  it('has its anchors in the file, also those of somebody who died before writing them, after half a line', async () => {
    await write(1_000);
    await anchors.make();
    const [first = ''] = lines();
    writeFileSync(file, first.slice(0, 40));
    await write(1_000);
    await open().make();
    expect(lines()).toHaveLength(3);
    expect(lines()[1]).toBe(first);
    expect(await open().verify()).toMatchObject({ count: 2, file: { anchors: 2 }, findings: [] });
  });

  it('proves one entry by ten hashes and a signature, without the rest', async () => {
    await write(1_005);
    await anchors.make();
    for (const seq of [1, 517, 1_000]) {
      const { ok, proof } = await reader.verify({ seq });
      expect(ok).toBe(true);
      expect(proof).toMatchObject({ seq, holds: true, anchor: { seq: 1_000 } });
      expect(proof?.path.length).toBeLessThanOrEqual(10);
    }
    await expect(reader.verify({ seq: 1_001 })).rejects.toMatchObject({ slug: 'audit-entry-not-anchored' });
    await expect(reader.verify({ seq: 2_000 })).rejects.toMatchObject({ slug: 'audit-entry-not-found' });
    await own.tamper(`UPDATE control.audit_entry SET subject = 'another' WHERE seq = 517`);
    expect(await reader.verify({ seq: 517 })).toMatchObject({ ok: false, proof: { holds: false } });
    expect((await reader.verify({ seq: 518 })).ok).toBe(true);
  });

  it('that was written anew from some entry on is found by its anchors, though its chain is whole', async () => {
    await write(1_000);
    await anchors.make();
    await own.tamper(`DELETE FROM control.audit_entry WHERE seq > 900`);
    await own.tamper(
      `UPDATE control.audit_head SET (seq, hash) = (SELECT seq, hash FROM control.audit_entry WHERE seq = 900)`,
    );
    expect(await reader.verify({})).toMatchObject({ ok: false, broken: null });
    await write(100);
    const found = await reader.verify({});
    expect(found).toMatchObject({ ok: false, broken: null, anchors: { findings: [{ seq: 1_000 }] } });
    // Somebody who removes the anchor too has not removed it from the file.
    await own.tamper(`DELETE FROM control.audit_anchor`);
    const again = await reader.verify({});
    expect(again.anchors?.findings[0]?.problem).toMatch(/the file has an anchor that the table lacks/);
  });

  it('is found changed by an anchor that was changed, in the table or in the file', async () => {
    await write(1_000);
    await anchors.make();
    const problems = async () => (await open().verify()).findings.map(({ problem }) => problem);
    const [line = ''] = lines();
    writeFileSync(file, `${line.replace(/"merkleRoot":"./, '"merkleRoot":"0')}\n`);
    const inFile = await problems();
    if (line !== lines()[0]) expect(inFile).toEqual(['the file has another anchor in its place']);
    writeFileSync(file, `${line}\n`);
    expect(await problems()).toEqual([]);
    await own.tamper(`UPDATE control.audit_anchor SET merkle_root = sha256(merkle_root)`);
    expect(await problems()).toEqual(['its signature does not fit']);
  });

  it('misses an anchor in the file, or the file, once it must be there', async () => {
    await write(1_000);
    await anchors.make();
    const problems = async () => (await open().verify()).findings.map(({ problem }) => problem);
    rmSync(file);
    expect(await problems()).toEqual([]);
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 61_000);
    expect(await problems()).toEqual(['there is no anchor file']);
    appendFileSync(file, '');
    expect(await problems()).toEqual(['the file does not have it']);
    now.mockRestore();
  });

  it('is accepted with what a restore has cost it, as long as it says so itself, and not with anything else', async () => {
    await write(10);
    await anchors.make(true);
    await write(5);
    await anchors.make(true);
    const anchored = (index: number) => anchorView.parse(JSON.parse(lines()[index] ?? ''));
    const lost = anchored(1);
    // The database is from when there were 12 entries and one anchor.
    await own.tamper(`DELETE FROM control.audit_entry WHERE seq > 12`);
    await own.tamper(`DELETE FROM control.audit_anchor WHERE seq > 10`);
    await own.tamper(
      `UPDATE control.audit_head SET (seq, hash) = (SELECT seq, hash FROM control.audit_entry WHERE seq = 12)`,
    );
    expect(await reader.verify({})).toMatchObject({ ok: false, anchors: { findings: [{ seq: 15 }], told: [] } });

    await own.trail.append({ ...act('the memory'), action: 'audit.gap', beforeDigest: lost.hash, outcome: 'lost' });
    const gap = { entry: 13, kind: 'gap', anchorHash: lost.hash, last: 15 };
    expect(await reader.verify({})).toMatchObject({ ok: true, anchors: { findings: [], told: [gap] } });
    // The same number is given again, and its anchor stands behind the lost one.
    await write(2);
    await anchors.make(true);
    expect(lines()).toHaveLength(3);
    expect(await reader.verify({})).toMatchObject({ ok: true, head: { seq: 15 }, anchors: { count: 2, told: [gap] } });
    await own.tamper(`UPDATE control.audit_entry SET hash = sha256(hash) WHERE seq = 15`);
    await own.tamper(`DELETE FROM control.audit_anchor WHERE seq = 15`);
    const { anchors: found } = await reader.verify({});
    expect(found?.findings).toMatchObject([{ seq: 15 }]);
  });

  it('is accepted as another than the one that was anchored, when a restore says so', async () => {
    await write(10);
    await anchors.make(true);
    const former = anchorView.parse(JSON.parse(lines()[0] ?? ''));
    await own.tamper(`TRUNCATE control.audit_entry, control.audit_anchor`);
    await own.tamper(`UPDATE control.audit_head SET seq = 0, hash = $1`, [GENESIS]);
    await write(12);
    expect(await reader.verify({})).toMatchObject({ ok: false, anchors: { findings: [{ seq: 10 }] } });
    const digests = { beforeDigest: former.hash, afterDigest: 'ab'.repeat(32) };
    await own.trail.append({ ...act('the memory'), ...digests, action: 'audit.fork', outcome: 'differs' });
    const fork = { entry: 13, kind: 'fork', anchorHash: former.hash, last: 10 };
    expect(await reader.verify({})).toMatchObject({ ok: true, anchors: { findings: [], told: [fork] } });
    await anchors.make(true);
    expect(await reader.verify({})).toMatchObject({ ok: true, anchors: { count: 1, told: [fork] } });
  });

  it('is not anchored where it does not hold together', async () => {
    await write(1_000);
    await own.tamper(`UPDATE control.audit_entry SET prev_hash = sha256('x') WHERE seq = 7`);
    expect(await anchors.make(true)).toEqual([]);
  });

  it('Property 12: shows any change, removal, reordering or insertion in the table, whoever made it', async () => {
    const length = 12;
    await write(length);
    await anchors.make(true);
    await own.control.query(`CREATE TABLE kept AS SELECT * FROM control.audit_entry`);
    const edits = fc.constantFrom(
      `UPDATE control.audit_entry SET reason = 'forged' WHERE seq = $1`,
      `UPDATE control.audit_entry SET actor = '{"id": "otto"}' WHERE seq = $1`,
      `UPDATE control.audit_entry SET hash = sha256(hash) WHERE seq = $1`,
      `UPDATE control.audit_entry SET at = at + interval '1 ms' WHERE seq = $1`,
      `DELETE FROM control.audit_entry WHERE seq = $1`,
      `UPDATE control.audit_entry SET seq = -seq WHERE seq = $1`,
      `INSERT INTO control.audit_entry SELECT $1 + 100, at, actor, action, subject, environment, reason, plan_id, run_id,
         before_digest, after_digest, outcome, prev_hash, hash FROM kept WHERE seq = $1`,
      `WITH pair AS (SELECT seq, CASE seq WHEN $1 THEN $1 % ${length} + 1 ELSE $1 END AS other FROM kept WHERE seq IN ($1, $1 % ${length} + 1))
       UPDATE control.audit_entry e SET (subject, hash) = (SELECT k.subject, k.hash FROM kept k WHERE k.seq = pair.other)
       FROM pair WHERE e.seq = pair.seq`,
    );
    await fc.assert(
      fc.asyncProperty(edits, fc.integer({ min: 1, max: length }), async (sql, seq) => {
        await own.tamper(sql, [seq]);
        expect((await reader.verify({})).ok).toBe(false);
        await own.tamper(`TRUNCATE control.audit_entry; INSERT INTO control.audit_entry SELECT * FROM kept`);
        expect((await reader.verify({})).ok).toBe(true);
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it('leaves the database sealed, and the export is an entry of it', async () => {
    await write(6_000);
    const auditor = hostActor('otto');
    for (const format of ['jsonl', 'csv', 'ocsf', 'cef', 'html'] as const) {
      const { content, fileName } = await exports.export(auditor, { format });
      const found = await verifyExport(content, new Signer(readConfig(environment)));
      expect(found).toMatchObject({ ok: true, format, problems: [] });
      expect(found.entries).toBeGreaterThan(6_000);
      expect(fileName).toMatch(/^audit-test-.*\.(jsonl|csv|cef|html)$/);
    }
    const { items } = await reader.list({ limit: 5, action: 'audit.' });
    expect(items.map(({ reason }) => reason)).toEqual(['html', 'cef', 'ocsf', 'csv', 'jsonl']);
    expect((await reader.list({ limit: 2, actor: 'host:otto' })).next).not.toBeNull();
  });

  it('takes in what was written down while it could not be reached, once and in order', async () => {
    const path = join(folder, 'journal.jsonl');
    const journal = new LocalJournal(path);
    const entry = (subject: string) => ({
      ...act(subject),
      action: 'emergency.declare',
      reason: 'the database is gone',
    });
    await journal.write(entry('E2'));
    await journal.write(entry('E1 wms'));
    appendFileSync(path, '{"half a li');
    await journal.write(entry('E1 sop'));
    const merge = (trail: AuditTrail) => new LocalJournal(path).merge(trail, own.control);
    const merged = await Promise.all([merge(own.trail), merge(own.trail), journal.merge(own.trail, own.control)]);
    expect(merged.reduce((sum, one) => sum + one, 0)).toBe(4);
    expect(await journal.merge(own.trail, own.control)).toBe(0);
    await journal.write(entry('E4'));
    expect(await journal.merge(own.trail, own.control)).toBe(1);
    const { items } = await reader.list({ limit: 10, action: 'journal.' });
    expect(items.map(({ subject }) => subject.split(' (')[0])).toEqual([
      'E4',
      'E1 sop',
      'a line of the journal',
      'E1 wms',
      'E2',
    ]);
    expect((await reader.verify({})).ok).toBe(true);
  });
});
