import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditTrail, readConfig } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import { Anchors } from '../../libs/rollback/src/audit/anchors.service.js';
import { auditVerification } from '../../libs/rollback/src/audit/audit.contract.js';
import { backupView } from '../../libs/rollback/src/backups/backup.contract.js';
import { planView } from '../../libs/rollback/src/plans/plan.contract.js';
import { BelayRoom } from './belay-room.js';
import { openWorld } from './run-room.js';

const refused = z.object({ problem: z.object({ code: z.string() }) });
const impossible = z.object({ problem: z.object({ code: z.string(), detail: z.string() }) });
const reason = ['--reason', 'the counts are wrong again'];

describe('belay, where something is missing', () => {
  let room: BelayRoom;
  beforeAll(async () => {
    room = await BelayRoom.open();
  }, 30_000);
  afterAll(() => room.close());

  /** As the worker does it every five minutes. */
  const anchor = async () => {
    const path = join(room.folder, '.belay', 'audit-anchors.jsonl');
    const config = readConfig({ ...room.env, AUDIT_ANCHOR_FILE: path, UNLEASH_URL: '', UNLEASH_TOKEN: '' });
    await using world = await openWorld({ ...config, FLAGS_FILE: 'test/support/no-flags.json' }, [], []);
    await new Anchors(world, new AuditTrail(world.control)).make(true);
  };
  const dropControl = async () => {
    const url = new URL(room.databases.controlUrl);
    const name = url.pathname.slice(1);
    url.pathname = '/postgres';
    const admin = new pg.Client({ connectionString: url.href });
    await admin.connect();
    await admin.query(`DROP DATABASE "${name}" WITH (FORCE)`);
    await admin.end();
  };

  it('plans for a feature by its flag alone, and for copies by their names', async () => {
    const plan = await room.here.json(['plan', 'feature', 'wms_finance', '--depth', 'off', ...reason], planView);
    expect(plan.doc.target).toMatchObject({ kind: 'module', domain: 'wms', feature: 'wms_finance' });
    const codes: string[] = [];
    for (const args of [
      ['plan', 'feature', 'wms_colours', '--depth', 'off', ...reason],
      ['plan', 'feature', 'wms_finance', '--depth', 'parked', ...reason],
      ['purge', 'application', '--confirm', 'application', '--copies', 'belay_failed_0011aabb', ...reason],
    ])
      codes.push((await room.here.json(args, refused, 1)).problem.code);
    expect(codes).toEqual(['target-unknown', 'nothing-to-do', 'target-unknown']);
  }, 60_000);

  it('drills a runbook on copies, and says how it came off', async () => {
    const { code, out, err } = await room.belay(['drill', 'wms-off']);
    expect([code, out]).toEqual([0, expect.stringMatching(/^✓ wms-off version 1: /)]);
    expect(err).toContain('this takes a while');
    expect(await room.here.text(['runbooks'])).toMatch(/^wms-off .*in order$/m);
    expect((await room.here.json(['drill', 'nothing'], refused, 1)).problem.code).toBe('runbook-not-found');
  }, 120_000);

  it('has pg_dump write a file besides, where this machine has one that can read the server', async () => {
    const create = ['backup', 'create', '--scope', 'wms', '--level', '1', '--pg-dump'];
    const tools = join(room.folder, 'tools');
    mkdirSync(tools);
    /** In the place of the real tool, which is not ours: says its version, and as a dump what it was asked. */
    const standIn = (version: string) => {
      const script = `#!/bin/sh\n[ "$1" = --version ] && echo 'pg_dump (PostgreSQL) ${version}' || echo "$@"\n`;
      writeFileSync(join(tools, 'pg_dump'), script, { mode: 0o755 });
    };
    const refusal = async () => {
      const { code, out } = await room.belay([...create, '--json'], { PATH: tools });
      return [code, impossible.parse(JSON.parse(out)).problem];
    };
    const missing = { code: 'pg-dump-impossible', detail: expect.stringContaining('has no pg_dump') };
    expect(await refusal()).toEqual([1, missing]);
    standIn('14.1');
    expect(await refusal()).toEqual([1, { ...missing, detail: expect.stringContaining('is of version 14') }]);
    expect(await room.here.text(['backup', 'list'])).not.toContain('wms');

    standIn('99.0');
    const { code, out } = await room.belay([...create, '--json'], { PATH: `${tools}:/usr/bin:/bin` });
    expect(code).toBe(0);
    const { location, state } = backupView.parse(JSON.parse(out));
    expect(state).toBe('checksummed');
    const asked = readFileSync(resolve(room.folder, `${location}.dump`), 'utf8');
    expect(asked).toMatch(/^--format=custom --no-password --schema=wms --schema=wms__parked --dbname=postgres\S+\n$/);
    const { password } = new URL(room.databases.databaseUrl);
    if (password !== '') expect(asked).not.toContain(password);
  }, 60_000);

  it('declares an emergency, restores the memory from a folder, and tells what was lost and done meanwhile', async () => {
    const { location } = await room.json(['backup', 'create', '--scope', 'control', '--level', '2'], backupView);
    await room.here.text(['off', 'wms_finance', ...reason]);
    await anchor();
    await dropControl();

    const off = await room.belay(['emergency', '--module', 'wms', '--confirm', 'test', ...reason]);
    expect([off.code, off.out]).toEqual([5, expect.stringContaining('The control database does not answer')]);
    expect(off.out).toContain('within 10 s by itself');

    const restore = ['control', 'restore', location, ...reason];
    expect((await room.here.json([...restore, '--confirm', 'yes'], refused, 2)).problem.code).toBe('confirm-mismatch');
    const told = await room.text([...restore, '--confirm', 'control']);
    expect(told).toMatch(/✗ Entries \d+ to \d+ of the audit trail are lost; that is an entry now\./);

    const verified = await room.json(['audit', 'verify'], auditVerification);
    expect(verified).toMatchObject({ ok: true, anchors: { findings: [], told: [{ kind: 'gap' }] } });
    expect(await room.text(['audit', 'verify'])).toMatch(
      /^! Entries from \d+ to entry \d+, .* were lost by a restore/m,
    );
    expect(await room.text(['audit', 'list', '--action', 'journal.'])).toContain('journal.emergency.declare E1 wms');
    expect(await room.text(['off', 'wms', ...reason])).toContain('enable_wms_module is off');
  }, 120_000);
});
