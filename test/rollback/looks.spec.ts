import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import type { Domain } from '@belay/platform';
import { startApi, type RunningApi } from '../../apps/api/src/api.js';
import { flagOff } from '../../libs/rollback/src/actions/flag.off.action.js';
import { manualCommand } from '../../libs/rollback/src/actions/manual.command.action.js';
import { markerCreate } from '../../libs/rollback/src/actions/marker.create.action.js';
import { verifyAll } from '../../libs/rollback/src/actions/verify.all.action.js';
import { verifyDomain } from '../../libs/rollback/src/actions/verify.domain.action.js';
import { World } from '../../libs/rollback/src/engine/world.js';
import { stepContext } from '../../libs/rollback/src/engine/step-context.js';
import { probe } from '../support/domains/probe.js';
import { ActionRoom } from './action-room.js';
import { createDepot, depot, depotLedgers, recovery } from './depot.js';

const get = (name: string, path: string, status: number, code?: string) => {
  return { kind: 'http', name, method: 'GET', path, status, ...(code !== undefined && { code }) } as const;
};
const probes = {
  off: [get('it is gone', '/api/probe', 404, 'module-off')],
  fallback: [get('sites ask for a sign-in', '/api/directory/sites', 200)],
  on: [get('it is there', '/api/probe', 200)],
};
const domains: Domain[] = [
  directory,
  depot,
  {
    ...probe,
    runbook: { ...recovery, probes, invariants: [], hooks: { ...recovery.hooks, mark: () => Promise.resolve({}) } },
  },
];

describe('looking at what a run has done', () => {
  let room: ActionRoom;
  let api: RunningApi;
  beforeAll(async () => {
    room = await ActionRoom.open({ domains, on: ['enable_probe', 'enable_depot'], ledgers: depotLedgers });
    await createDepot(room.world.targets);
    await room.rows(`INSERT INTO depot.item (id, name, qty) VALUES (1, 'one', 3), (2, 'two', 4)`);
    api = await startApi({ config: room.config, domains });
  });
  afterAll(async () => {
    await api.close();
    await room.close();
  });

  const soon = () => ({ deadline: performance.now() + 1_500 });
  const outcome = async (domain: string, expect: 'off' | 'on' | null = null, facts = {}) =>
    (await room.step(verifyDomain, { domain, expect }, facts)).verify();

  it('sees that a module is on, and that it is not off', async () => {
    expect(await outcome('probe')).toMatchObject({ outcome: 'pass', facts: { state: 'on' } });
    expect(await outcome('probe', 'off', soon())).toMatchObject({ outcome: 'fail' });
  });

  it('sees that a module is off, and that the rest is there up to the sign-in', async () => {
    const off = await room.step(flagOff, { flag: 'enable_probe' });
    await off.inspect();
    await off.execute();
    const { outcome: seen, facts } = await outcome('probe');
    expect(seen).toBe('pass');
    expect(facts).toMatchObject({ state: 'off' });
    expect(facts['looks']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ probe: 'it is gone', outcome: 'pass' }),
        expect.objectContaining({ probe: 'sites ask for a sign-in', seen: 'up to the sign-in' }),
      ]),
    );
    await off.compensate();
  });

  it('counts a broken promise against a module that is on, and tells it of one that is off', async () => {
    await room.rows(`UPDATE depot.item SET name = '' WHERE id = 1`);
    expect(await outcome('depot', 'on', soon())).toMatchObject({ outcome: 'fail' });
    const off = await room.step(flagOff, { flag: 'enable_depot' });
    await off.inspect();
    await off.execute();
    expect(await outcome('depot')).toMatchObject({
      outcome: 'pass',
      facts: { noted: [{ outcome: 'fail', probe: 'items have names', violations: 1 }] },
    });
    await off.compensate();
    await room.rows(`UPDATE depot.item SET name = 'one' WHERE id = 1`);
  });

  it('does not take for passed what nobody could find out', async () => {
    const lost = { kind: 'rows', name: 'lost', sql: 'SELECT 1 FROM depot.nothing WHERE $1 = $2' } as const;
    const strange = { ...depot, runbook: { ...recovery, probes: { off: [], fallback: [], on: [lost] } } };
    const world = new World({ ...room.runtime, domains: [directory, strange] }, depotLedgers);
    const step = await room.step(verifyDomain, { domain: 'depot', expect: 'on' });
    const context = stepContext(world, { ...step.context, ...soon() });
    expect(await verifyDomain.verify(context, step.input, { before: {}, result: {} })).toMatchObject({
      outcome: 'inconclusive',
    });
    await world.close();
  });

  it('makes the five checks that come after everything', async () => {
    const step = await room.step(verifyAll, {});
    const { outcome: seen, facts } = await step.verify();
    expect({ seen, facts }).toMatchObject({ seen: 'pass' });
    expect(Object.keys(facts)).toEqual(['processes', 'database', 'build', 'page', 'modules']);

    const died = `INSERT INTO control.process (id, role, host, pid, build_sha, at)
      VALUES ('01980000-0000-7000-8000-00000000dead', 'worker', 'gone', 7, 'x', clock_timestamp() - interval '6 seconds')`;
    const late = await room.step(verifyAll, {}, soon());
    await room.control(`UPDATE control.run SET created_at = clock_timestamp() - interval '1 minute' WHERE id = $1`, [
      late.context.runId,
    ]);
    await room.control(died);
    expect(await late.verify()).toMatchObject({
      outcome: 'fail',
      facts: { processes: [{ died: [{ host: 'gone' }] }] },
    });
    await room.control(`DELETE FROM control.process WHERE host = 'gone'`);
  });

  it('marks a point once, with what every module says of itself in one snapshot', async () => {
    const step = await room.step(markerCreate, { name: 'before the import' });
    await step.inspect();
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    expect(await step.verify()).toMatchObject({ outcome: 'fail' });
    const first = await step.execute();
    await room.rows(`INSERT INTO depot.item (id, name, qty) VALUES (3, 'three', 5)`);
    expect(await step.execute()).toEqual(first);
    step.forget();
    expect(await step.reconcile()).toEqual({ effect: 'done', result: first });
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    await step.compensate();
    const rows = await room.control(
      `SELECT name, facts, run_id, snapshot::text, jsonb_array_length(ledger) > 4 AS ledgers FROM control.marker`,
    );
    expect(rows).toEqual([
      {
        name: 'before the import',
        facts: { depot: { items: 2, units: 7 } },
        run_id: step.context.runId,
        snapshot: first['snapshot'],
        ledgers: true,
      },
    ]);
    const visible = `SELECT pg_visible_in_snapshot(txid, $1::pg_snapshot) AS seen FROM platform.audit_log
                     WHERE schema_name = 'depot' AND operation = 'INSERT' ORDER BY id DESC LIMIT 2`;
    expect(await room.rows(visible, [first['snapshot']])).toEqual([{ seen: false }, { seen: true }]);
  });

  it('waits for a person, and leaves it to a person to take back', async () => {
    const what = { what: 'Install the lockfile of the tag', command: 'npm ci' };
    const step = await room.step(manualCommand, what);
    await expect(step.execute()).rejects.toMatchObject({ name: 'StepWaits', what: 'human', facts: what });
    expect(await step.verify()).toMatchObject({ outcome: 'inconclusive' });
    expect(await step.compensate()).toEqual({});
    const confirmed = { by: 'jonas', at: '2026-11-21T10:00:00Z', facts: { log: 'green' } };
    step.result = await manualCommand.execute({ ...step.context, confirmed }, what);
    expect(await step.verify()).toMatchObject({ outcome: 'pass', facts: { by: 'jonas' } });
    await expect(step.compensate()).rejects.toMatchObject({ slug: 'only-by-hand' });
  });
});
