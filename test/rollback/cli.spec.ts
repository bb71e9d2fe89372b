import { rm, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problem } from '@belay/platform';
import { z } from 'zod';
import { backupView } from '../../libs/rollback/src/backups/backup.contract.js';
import { planView } from '../../libs/rollback/src/plans/plan.contract.js';
import { runView } from '../../libs/rollback/src/runs/run.contract.js';
import { BelayRoom } from './belay-room.js';

const refused = z.object({ problem: problem.pick({ code: true }).loose() });
const reason = ['--reason', 'the counts are wrong again'];

/** Some as processes of their own, from the start to the exit code; the others, of which there are many, within this one. */
describe('belay, with neither API nor worker', () => {
  let room: BelayRoom;
  beforeAll(async () => {
    room = await BelayRoom.open();
  }, 30_000);
  afterAll(() => room.close());

  const codeOf = async (args: readonly string[], code: number) =>
    (await room.here.json(args, refused, code)).problem.code;

  it('lists what it can do, and answers before anything was done', async () => {
    const told = await Promise.all([room.text(['--help']), room.text(['status']), room.text(['backup', 'list'])]);
    const words =
      'off on plan dry-run approve run status watch pause resume cancel undo retry skip confirm emergency flags';
    const others = 'jobs backup restore marker migrate parked purge drill audit log doctor control';
    for (const name of `${words} ${others}`.split(' ')) expect(told[0]).toMatch(new RegExp(`^  ${name}[ |]`, 'm'));
    expect(told.slice(1)).toEqual([expect.stringContaining('No run yet.'), expect.stringContaining('No backup yet.')]);
  }, 30_000);

  it('names what a rollback would miss', async () => {
    const report = z.object({ ok: z.boolean(), found: z.array(z.object({ what: z.string(), ok: z.boolean() })) });
    const { found } = await room.here.json(['doctor'], report, 1);
    expect(found.filter(({ ok }) => !ok).map(({ what }) => what)).toEqual(['proven backup']);
  }, 30_000);

  it('switches a module off at once, and lets it on again only for somebody who may approve', async () => {
    expect(await codeOf(['off', 'wms', '--reason', 'short'], 1)).toBe('reason-too-short');
    expect(await room.here.text(['off', 'wms', ...reason])).toMatch(
      /enable_wms_module is off; 0 processes obeyed within \d+ ms/,
    );
    const explained = z.object({ mode: z.string(), killed: z.boolean(), because: z.array(z.string()) });
    const [state, byHost, byOther] = await Promise.all([
      room.here.json(['flags', 'explain', 'wms'], explained),
      codeOf(['on', 'wms', ...reason], 1),
      codeOf(['on', 'wms', '--as', 'auditor', ...reason], 1),
    ]);
    expect(state).toEqual({ mode: 'off', killed: true, because: ['switched off by hand: the counts are wrong again'] });
    expect([byHost, byOther]).toEqual(['machines-never-approve', 'permission-missing']);
    const denied = `SELECT action, outcome FROM control.audit_entry WHERE outcome LIKE 'denied%'`;
    expect((await room.control.query(denied)).rows).toEqual([
      { action: 'denied', outcome: 'denied: permission-missing' },
    ]);
  }, 60_000);

  it('asks for the right password', async () => {
    const wrong = await room.here.belay(['on', 'wms', '--as', 'approver', '--json', ...reason], {
      BELAY_PASSWORD: 'guessed',
    });
    expect(wrong.code).toBe(1);
    expect(refused.parse(JSON.parse(wrong.out)).problem.code).toBe('wrong-credentials');
    const nobody = await room.here.belay(['on', 'wms', '--as', 'approver', ...reason], { BELAY_PASSWORD: '' });
    expect(nobody).toMatchObject({ code: 1, out: expect.stringContaining('set BELAY_PASSWORD') });
  }, 30_000);

  it('keeps what the flags are, tells the difference, and goes back to it', async () => {
    const snapshot = await room.here.json(['flags', 'snapshot'], z.object({ id: z.uuid() }));
    await room.here.text(['off', 'wms_finance', ...reason]);
    const [diff, list, snapshots] = await Promise.all([
      room.here.text(['flags', 'diff', snapshot.id.slice(0, 13)]),
      room.here.text(['flags', 'list']),
      room.here.text(['flags', 'snapshots']),
    ]);
    expect(diff).toMatch(/wms_finance +by hand +not switched +off/);
    expect(list).toMatch(/^wms_finance +off/m);
    expect(snapshots).toContain(snapshot.id);
    expect(await codeOf(['flags', 'restore', snapshot.id, '--as', 'auditor', ...reason], 1)).toBe('permission-missing');
    expect(await codeOf(['flags', 'diff', 'ffffffff'], 1)).toBe('snapshot-not-found');
  }, 60_000);

  it('stops jobs and lets them go on', async () => {
    const queue = z.object({ queue: z.string() });
    expect(await room.here.json(['jobs', 'stop', 'wms', ...reason], queue)).toEqual({ queue: 'paused' });
    expect(await room.here.json(['jobs', 'start', 'wms', ...reason], queue)).toEqual({ queue: 'open' });
    expect(await codeOf(['jobs', 'stop', 'nothing'], 1)).toBe('domain-unknown');
  }, 30_000);

  it('makes backups by itself, proves them, and finds out that one was damaged', async () => {
    const [marker] = await Promise.all([
      room.here.json(['marker', 'create', 'before everything'], z.object({ id: z.uuid() })),
      codeOf(['backup', 'create', '--scope', 'nothing'], 1),
    ]);
    expect(await room.here.text(['marker', 'list'])).toContain(marker.id);
    const made = await room.here.json(['backup', 'create', '--scope', 'wms', '--level', '2'], backupView);
    expect(made).toMatchObject({ state: 'complete', level: 2, domains: ['wms'] });
    const [proven, list] = await Promise.all([
      room.here.json(['backup', 'drill', made.id.slice(0, 18)], backupView),
      room.here.text(['backup', 'list']),
    ]);
    expect(proven).toMatchObject({ state: 'proven', level: 4 });
    expect(list).toContain(made.id);
    const file = join(made.location, 'build.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace('{', '{ '));
    const broken = await room.here.json(['backup', 'verify', made.id, '--level', '1'], backupView, 1);
    expect(broken.state).toBe('broken');
    expect(await room.here.text(['backup', 'show', made.id], 1)).toContain('build.json');
  }, 60_000);

  it('runs a plan that nobody has to agree to in its own process, and is refused a second time', async () => {
    const plan = await room.here.json(['plan', 'module', 'wms', '--depth', 'off', ...reason], planView);
    expect(plan.state).toBe('approved');
    expect(await room.here.text(['dry-run', plan.id.slice(0, 10)])).toContain('It may go on.');
    const told = await room.text(['run', plan.id.slice(0, 10), '--here']);
    expect(told).toMatch(/^Run [0-9a-f-]{36}: monitoring/);
    expect(told).toMatch(/^100 % {2}monitoring$/m);
    expect(await codeOf(['run', plan.id], 1)).toBe('plan-not-open');
    const [report, log, status] = await Promise.all([
      room.here.text(['report', 'last']),
      room.here.text(['log', '--markdown']),
      room.here.json(['status', 'last'], runView),
    ]);
    expect(report).toContain('| flag enable_wms_module |');
    expect(log).toMatch(/\| module wms off \| the counts are wrong again \|/);
    expect(status).toMatchObject({ state: 'monitoring', mode: 'normal', percent: 100 });
  }, 60_000);

  it('holds a run that is asked for while nobody carries it out, and everybody else out', async () => {
    const [{ id: first }, { id: second }] = await Promise.all([
      room.here.json(['plan', 'module', 'wms', '--depth', 'off', ...reason], planView),
      room.here.json(['plan', 'runbook', 'wms-read-only', ...reason], planView),
    ]);
    const queued = await room.here.belay(['run', first]);
    expect(queued).toMatchObject({ code: 0, err: expect.stringContaining('No worker runs') });
    expect(await codeOf(['run', second], 6)).toBe('run-in-progress');
    expect(await codeOf(['pause', 'last'], 1)).toBe('run-not-ready');
    expect(await codeOf(['retry', 'last', '0'], 1)).toBe('run-not-ready');
    expect(await codeOf(['confirm', 'last', ...reason], 1)).toBe('run-not-ready');
    const cancelled = await room.here.json(['cancel', 'last', '--here'], runView, 1);
    expect(cancelled.state).toBe('cancelled');
    expect(await codeOf(['retry', 'last', '0'], 1)).toBe('run-not-ready');
    expect(await codeOf(['resume', 'last'], 1)).toBe('run-not-ready');
  }, 90_000);

  it('refuses what is not there, and says what is', async () => {
    const codes = await Promise.all([
      codeOf(['plan', 'module', 'nothing', '--depth', 'off', ...reason], 1),
      codeOf(['approve', 'abcdef', ...reason], 1),
      codeOf(['restore', 'domain', 'wms', '--backup', '00000000', ...reason], 1),
      codeOf(['purge', 'wms', '--confirm', 'vms', ...reason], 2),
      codeOf(['undo', '00000000'], 1),
      codeOf(['parked', 'restore', 'wms', ...reason], 1),
    ]);
    expect(codes).toEqual([
      'target-unknown',
      'plan-not-found',
      'backup-not-found',
      'confirm-mismatch',
      'run-not-found',
      'nothing-to-do',
    ]);
    expect(await room.here.text(['parked', 'list'])).toContain('Nothing is parked.');
    expect(await room.here.text(['runbooks'])).toMatch(/^wms-off +1 +wms/m);
    expect(await room.text(['migrate', 'vault', 'wms'])).toMatch(/\d+ migrations are in the vault\./);
  }, 60_000);

  it('takes the trail out, and finds out that a copy of it was changed', async () => {
    const out = join(room.folder, 'audit.jsonl');
    await room.here.text(['audit', 'export', '--format', 'jsonl', '--out', out]);
    const [whole, file] = await Promise.all([
      room.here.text(['audit', 'verify']),
      room.here.text(['audit', 'verify', '--file', out]),
    ]);
    expect(whole).toMatch(/✓ \d+ entries, each as it was written/);
    expect(file).toMatch(/✓ \d+ entries \(jsonl\)/);
    await writeFile(
      out,
      (await readFile(out, 'utf8')).replace('the counts are wrong again', 'the counts are right now'),
    );
    expect(await room.here.text(['audit', 'verify', '--file', out], 1)).toContain('✗');
    expect(await room.here.text(['audit', 'list', '--action', 'flag.'])).toContain('flag.off enable_wms_module');
    await rm(out);
  }, 60_000);
});
