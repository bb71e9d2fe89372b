import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AuditTrail } from '@belay/platform';
import { Journal } from '../../libs/rollback/src/engine/journal.js';
import { LeaseLost } from '../../libs/rollback/src/engine/lease.js';
import { runIn, stepsOf, type RunRow, type StepRow } from '../../libs/rollback/src/engine/run.queries.js';
import { isAllowed, transitions } from '../../libs/rollback/src/engine/state.rules.js';
import type { World } from '../../libs/rollback/src/engine/world.js';
import { IllegalTransition } from '../../libs/rollback/src/rollback.problems.js';
import { RunRoom } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';

describe('a journal', () => {
  let room: RunRoom;
  let world: World;
  beforeAll(async () => {
    room = await RunRoom.open(shelfActions, { sql: shelfSql });
    world = await room.world();
  });
  afterAll(() => room.close());
  afterEach(() => room.clear());

  const open = async (change: Partial<RunRow> = {}) => {
    const runId = await room.request([{ action: 'shelf.put', input: { name: 'a' } }]);
    const run = await runIn(world.control, runId);
    const steps = await stepsOf(world.control, runId);
    const [step] = steps;
    if (!run || !step) throw new Error('there is no run');
    const audit = new AuditTrail(world.control);
    const journal = new Journal(world.control, audit, 'test', Object.assign(run, change), steps);
    return { runId, run, step, journal };
  };
  const audited = async (action: string) => {
    const [row] = await room.control<{ entries: number }>(
      `SELECT count(*)::int AS entries FROM control.audit_entry WHERE action = $1`,
      [action],
    );
    return row?.entries ?? 0;
  };
  const statesOf = <State extends string>(table: Readonly<Record<State, unknown>>) => {
    const isState = (name: string): name is State => name in table;
    return Object.keys(table).filter(isState);
  };

  it('refuses every move of a run or a step that is not in the table, and the trail knows of each', async () => {
    const { run, step, journal } = await open();
    let refused = 0;
    for (const from of statesOf(transitions.run)) {
      for (const to of statesOf(transitions.run).filter((one) => !isAllowed('run', from, one))) {
        run.state = from;
        await expect(journal.write({ run: { to } })).rejects.toThrow(IllegalTransition);
        refused += 1;
      }
    }
    for (const from of statesOf<StepRow['state']>(transitions.step)) {
      for (const to of statesOf<StepRow['state']>(transitions.step).filter((one) => !isAllowed('step', from, one))) {
        step.state = from;
        await expect(journal.write({ step: { step, to } })).rejects.toThrow(IllegalTransition);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(200);
    expect(await audited('illegal-transition')).toBe(refused);
    expect(await room.state(run.id)).toBe('queued');
  }, 60_000);

  it('writes nothing for whoever has another epoch than the run, earlier or later', async () => {
    for (const epoch of [1n, 3n]) {
      const { runId, journal, step } = await open({ epoch });
      await room.control(`UPDATE control.run SET epoch = 2 WHERE id = $1`, [runId]);
      const before = await room.control(`SELECT * FROM control.run WHERE id = $1`, [runId]);
      const entries = await audited('run.running');
      await expect(journal.write({ run: { to: 'running' }, events: [{ type: 'x', payload: {} }] })).rejects.toThrow(
        LeaseLost,
      );
      await expect(journal.write({ step: { step, to: 'previewed' } })).rejects.toThrow(LeaseLost);
      await expect(journal.write({ events: [{ type: 'x', payload: {} }] })).rejects.toThrow(LeaseLost);
      expect(await room.control(`SELECT * FROM control.run WHERE id = $1`, [runId])).toEqual(before);
      expect(await room.states(runId)).toEqual(['pending']);
      expect(await room.events(runId)).toHaveLength(1);
      expect(await audited('run.running')).toBe(entries);
      await room.clear();
    }
  });

  it('numbers its events without a gap, however many are written at once', async () => {
    const { runId, journal } = await open();
    await Promise.all(
      Array.from({ length: 100 }, (_, place) =>
        journal.write({ events: [`a${place}`, `b${place}`].map((type) => ({ type, payload: {} })) }),
      ),
    );
    const events = await room.events(runId);
    expect(events.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: 201 }, (_, place) => place + 1));
    expect(events.slice(1, 5).map(({ type }) => type)).toEqual(['a0', 'b0', 'a1', 'b1']);
  });

  it('has state, events and the words of the trail together or not at all', async () => {
    const { runId, journal } = await open();
    const before = await audited('run.running');
    await room.control(`ALTER TABLE control.run_event ADD CONSTRAINT no_x CHECK (type <> 'x')`);
    await expect(journal.write({ run: { to: 'running' }, events: [{ type: 'x', payload: {} }] })).rejects.toThrow(
      'no_x',
    );
    await room.control(`ALTER TABLE control.run_event DROP CONSTRAINT no_x`);
    expect([await room.state(runId), await audited('run.running')]).toEqual(['queued', before]);

    await journal.write({ run: { to: 'running' }, events: [{ type: 'y', payload: {} }] });
    expect([await room.state(runId), await audited('run.running')]).toEqual(['running', before + 1]);
    expect((await room.events(runId)).map(({ seq }) => seq)).toEqual(['1', '2']);
  });
});
