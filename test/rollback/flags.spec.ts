import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUIDv7 } from 'node:crypto';
import { directory } from '@belay/directory';
import type { Domain } from '@belay/platform';
import fc from 'fast-check';
import { startApi, type RunningApi } from '../../apps/api/src/api.js';
import { flagLift } from '../../libs/rollback/src/actions/flag.lift.action.js';
import { flagOff } from '../../libs/rollback/src/actions/flag.off.action.js';
import { verifyFlags } from '../../libs/rollback/src/actions/verify.flags.action.js';
import { beacon } from '../support/domains/beacon.js';
import { gauge } from '../support/domains/gauge.js';
import { probe } from '../support/domains/probe.js';
import { eventually } from '../support/eventually.js';
import { ActionRoom } from './action-room.js';
import { recovery } from './depot.js';

const get = (name: string, path: string, status: number, code?: string) => {
  return { kind: 'http', name, method: 'GET', path, status, ...(code !== undefined && { code }) } as const;
};
const gone = [get('the probe is gone', '/api/probe', 404, 'module-off')];
const runbook = { ...recovery, probes: { off: gone, fallback: [], on: [] } };
const flag = 'enable_probe';

describe('switching flags off and lifting them again', () => {
  let room: ActionRoom;
  let api: RunningApi;
  beforeAll(async () => {
    const domains: Domain[] = [directory, beacon, { ...probe, runbook }, gauge];
    room = await ActionRoom.open({ domains, on: [flag, 'enable_gauge'] });
    api = await startApi({ config: room.config, domains });
  });
  afterEach(async () => {
    for (const one of [flag, 'enable_gauge', 'platform_writes'])
      await room.control(`SELECT control.override_flag('live', $1, false, 'end of test', 'test')`, [one]);
    await room.control(`ALTER TABLE control.flag_override ENABLE TRIGGER flag_override_announce`);
    await eventually(async () => {
      expect((await fetch(`${api.url}/api/gauge`)).status).toBe(200);
    });
  });
  afterAll(async () => {
    await api.close();
    await room.close();
  });

  const row = async () =>
    (await room.control(`SELECT off, actor, run_id FROM control.flag_override WHERE flag = $1`, [flag]))[0];
  const seq = async () =>
    (await room.control<{ seq: string }>(`SELECT max(seq) AS seq FROM control.flag_override`))[0]?.seq;

  it('is in force in every process, and seen from outside', async () => {
    const step = await room.step(flagOff, { flag });
    await step.inspect();
    await step.execute();
    const { outcome, facts } = await step.verify();
    expect(outcome).toBe('pass');
    expect(facts['processes']).toBe(2);
    expect(facts['looks']).toMatchObject([
      { probe: 'the board of the process', outcome: 'pass', off: true },
      { probe: 'the probe is gone', outcome: 'pass', status: 404, code: 'module-off' },
    ]);
    expect(await (await room.step(verifyFlags, { off: [flag] })).verify()).toMatchObject({ outcome: 'pass' });
    expect(await (await room.step(verifyFlags, { lifted: [flag] })).verify()).toMatchObject({ outcome: 'fail' });
  });

  it('happens once, however often it is asked for and wherever the executor dies', async () => {
    const step = await room.step(flagOff, { flag });
    await step.inspect();
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    const first = await step.execute();
    const after = await seq();
    expect(await step.execute()).toEqual(first);
    step.forget();
    expect(await step.reconcile()).toEqual({ effect: 'done', result: first });
    expect(await seq()).toBe(after);
    for (let n = 0; n < 2; n += 1) {
      await step.compensate();
      expect(await row()).toMatchObject({ off: false });
    }
  });

  it('changes nothing by taking back what never happened', async () => {
    const step = await room.step(flagOff, { flag });
    await step.inspect();
    const before = await row();
    expect(await step.compensate()).toMatchObject({ restored: false });
    expect(await row()).toEqual(before);
  });

  it('leaves with its owner what somebody else has switched off, on the way there and back', async () => {
    await room.control(`SELECT control.override_flag('live', $1, true, 'by hand', 'jonas')`, [flag]);
    const step = await room.step(flagOff, { flag });
    await step.inspect();
    expect(await step.execute()).toMatchObject({ changed: false });
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    await step.compensate();
    expect(await row()).toMatchObject({ off: true, actor: 'jonas' });

    const lift = await room.step(flagLift, { flag, ofRun: step.context.runId });
    await lift.inspect();
    expect(await lift.execute()).toMatchObject({ changed: false });
    expect(await lift.verify()).toMatchObject({ outcome: 'pass', facts: { left: 'another has switched it off' } });
    expect(await row()).toMatchObject({ off: true, actor: 'jonas' });
  });

  it('is lifted for the run that switched it off, and put back when that is taken back', async () => {
    const off = await room.step(flagOff, { flag });
    await off.inspect();
    await off.execute();
    const switched = await row();
    const lift = await room.step(flagLift, { flag, ofRun: off.context.runId });
    await lift.inspect();
    expect(await lift.reconcile()).toEqual({ effect: 'not-done' });
    expect(await lift.execute()).toMatchObject({ changed: true });
    lift.forget();
    expect(await lift.reconcile()).toMatchObject({ effect: 'done', result: { changed: true } });
    expect(await lift.execute()).toMatchObject({ changed: true });
    expect(await lift.verify()).toMatchObject({ outcome: 'pass' });
    await eventually(async () => {
      expect((await fetch(`${api.url}/api/probe`)).status).toBe(200);
    });
    await lift.compensate();
    await lift.compensate();
    expect(await row()).toEqual(switched);
  });

  it('is lifted too when the run that lifts has switched it off itself', async () => {
    const off = await room.step(flagOff, { flag });
    await off.inspect();
    await off.execute();
    const lift = await room.step(flagLift, { flag, ofRun: randomUUIDv7() }, { runId: off.context.runId });
    await lift.inspect();
    expect(await lift.execute()).toMatchObject({ changed: true });
    expect(await row()).toMatchObject({ off: false });
  });

  it('is obeyed within a second when nobody hears of it', async () => {
    await room.control(`ALTER TABLE control.flag_override DISABLE TRIGGER flag_override_announce`);
    const step = await room.step(flagOff, { flag });
    await step.inspect();
    await step.execute();
    const { outcome, facts } = await step.verify();
    expect(outcome).toBe('pass');
    expect(facts['ms']).toBeLessThan(2_000);
  });

  it('is not verified while a live process has not obeyed, and is once that has died', async () => {
    const stale = randomUUIDv7();
    const beat = () =>
      room.control(
        `INSERT INTO control.process (id, role, host, pid, build_sha, applied_seq) VALUES ($1, 'worker', 'old', 1, 'old', 0)
         ON CONFLICT (id) DO UPDATE SET at = clock_timestamp()`,
        [stale],
      );
    await beat();
    const beating = setInterval(() => void beat(), 300);
    const step = await room.step(flagOff, { flag }, { deadline: performance.now() + 2_000 });
    await step.inspect();
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'fail', facts: { behind: [{ id: stale, host: 'old' }] } });
    clearInterval(beating);
    const later = await room.step(flagOff, { flag }, { runId: step.context.runId });
    expect(await later.verify()).toMatchObject({ outcome: 'pass' });
    await room.control(`DELETE FROM control.process WHERE id = $1`, [stale]);
  }, 30_000);

  it('stays unknown when an API does not say what it does', async () => {
    const silent = randomUUIDv7();
    await room.control(
      `INSERT INTO control.process (id, role, host, pid, build_sha, applied_seq, url, at)
       VALUES ($1, 'api', 'far', 1, 'x', 9000000, $2, clock_timestamp() + interval '20 seconds')`,
      [silent, api.url],
    );
    const step = await room.step(flagOff, { flag }, { deadline: performance.now() + 2_000 });
    await step.inspect();
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'inconclusive' });
    await room.control(`DELETE FROM control.process WHERE id = $1`, [silent]);
  });

  it('stops all writes, and lets them be again', async () => {
    const step = await room.step(flagOff, { flag: 'platform_writes' });
    await step.inspect();
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    expect((await fetch(`${api.url}/api/probe`, { method: 'POST' })).status).toBe(503);
    await step.compensate();
    await eventually(async () => {
      expect((await fetch(`${api.url}/api/probe`, { method: 'POST' })).status).toBe(201);
    });
  });

  it('is refused for a flag that nobody has, and by whoever has been overtaken', async () => {
    await expect((await room.step(flagOff, { flag: 'enable_probes' })).inspect()).rejects.toMatchObject({
      slug: 'flag-unknown',
    });
    const step = await room.step(flagOff, { flag });
    await step.inspect();
    const before = await row();
    await room.control(`UPDATE control.run SET epoch = 2 WHERE id = $1`, [step.context.runId]);
    await expect(step.execute()).rejects.toMatchObject({ name: 'FencedOff' });
    await expect(step.compensate()).rejects.toMatchObject({ name: 'FencedOff' });
    expect(await row()).toEqual(before);
  });

  it('has overrides of its own in a drill, which no live process obeys', async () => {
    const step = await room.step(flagOff, { flag }, { scope: 'drill' });
    await step.inspect();
    await step.execute();
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    expect((await fetch(`${api.url}/api/probe`)).status).toBe(200);
  });

  // Feature: version-rollback, Property 17
  it('never makes a flag true that its source calls off', async () => {
    const names = [flag, 'enable_gauge', 'probe_export', 'probe_masking'];
    const { gate, overlay } = room.runtime;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ name: fc.constantFrom(...names), off: fc.boolean() }), { maxLength: 6 }),
        fc.uniqueArray(fc.constantFrom(...names)),
        async (writes, on) => {
          for (const name of names) room.flags.set(name, { enabled: on.includes(name) });
          let last = 0n;
          for (const { name, off } of writes) {
            const sql = `SELECT control.override_flag('live', $1, $2, 'property', 'test') AS seq`;
            last = BigInt((await room.control<{ seq: string }>(sql, [name, off]))[0]?.seq ?? 0);
          }
          await overlay.refresh();
          await eventually(() => {
            expect(overlay.seq >= last).toBe(true);
            for (const name of names) expect(gate.explain(name).source.on).toBe(on.includes(name));
          }, 5_000);
          for (const name of names) if (!on.includes(name)) expect(gate.explain(name).mode).toBe('off');
        },
      ),
      { numRuns: 100 },
    );
    for (const name of names) room.flags.set(name, { enabled: name !== 'probe_export' });
    for (const name of names)
      await room.control(`SELECT control.override_flag('live', $1, false, 'end', 'test')`, [name]);
  }, 60_000);
});
