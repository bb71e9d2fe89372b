import { describe, expect } from '@jest/globals';
import { AuditTrail } from '@belay/platform';
import { eventually } from '../support/eventually.js';
import { apartIn } from './apart.js';
import { RunRoom, type WantedStep } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';

const box = (name: string, more: Record<string, string | number> = {}, action = 'shelf.put'): WantedStep => ({
  action,
  input: { name, ...more },
});

const apart = apartIn(() => RunRoom.open(shelfActions, { sql: shelfSql }));

const begins = (room: RunRoom, runId: string) =>
  eventually(async () => {
    expect((await room.states(runId))[0]).toBe('running');
  });

describe('a run', () => {
  apart('is carried out step by step, each with an intent before and evidence after', async (room) => {
    const runId = await room.request([box('a'), box('b'), { action: 'shelf.look', input: { name: 'b' } }]);
    await room.host();
    await room.becomes(runId, 'monitoring');

    expect(await room.effects()).toEqual(['put a', 'put b']);
    expect(await room.states(runId)).toEqual(['verified', 'verified', 'verified']);
    const events = await room.events(runId);
    expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_, place) => place + 1));
    expect(events.map(({ type }) => type).filter((type) => type !== 'step.progress')).toEqual([
      'run.queued',
      'run.started',
      'run.checked',
      ...['a', 'b'].flatMap(() => [
        'step.preview',
        'step.started',
        'step.effect-done',
        'step.verify-started',
        'step.verify-result',
        'step.finished',
      ]),
      'run.verifying',
      'step.preview',
      'step.started',
      'step.effect-done',
      'step.verify-started',
      'step.verify-result',
      'step.finished',
      'run.monitoring',
    ]);
    const percents = events.flatMap(({ payload }) =>
      typeof payload['percent'] === 'number' ? [payload['percent']] : [],
    );
    expect(percents).toEqual(percents.toSorted((one, other) => one - other));
    expect(percents.at(-1)).toBe(100);
  });

  apart('is begun at once when somebody asks for it, and is in the chain of what was done', async (room) => {
    await room.host();
    const [last] = await room.control<{ seq: string }>(`SELECT seq FROM control.audit_head`);
    const runId = await room.request([box('a')]);
    expect(await room.becomes(runId, 'monitoring')).toBeLessThan(5_000);

    const entries = await room.control<{ action: string; actor: { id: string }; run_id: string }>(
      `SELECT action, actor, run_id FROM control.audit_entry WHERE seq > $1 ORDER BY seq`,
      [last?.seq],
    );
    expect(entries.map(({ action }) => action)).toEqual([
      'run.running',
      'step.running',
      'step.effect-done',
      'run.verifying',
      'run.monitoring',
    ]);
    expect(entries.every(({ actor, run_id }) => actor.id === 'maria' && run_id === runId)).toBe(true);
    expect((await new AuditTrail((await room.world()).control).verify()).broken).toBeUndefined();
  });

  apart('is closed when it was watched for a day, by the clock of the database', async (room) => {
    await room.host({ timing: { pollMs: 50 } });
    const runId = await room.request([box('a')]);
    await room.becomes(runId, 'monitoring');
    const [watched] = await room.control<{ hours: number }>(
      `SELECT extract(epoch FROM monitor_until - finished_at)::float8 / 3600 AS hours FROM control.run WHERE id = $1`,
      [runId],
    );
    expect(watched?.hours).toBeCloseTo(24, 2);
    await room.control(`UPDATE control.run SET monitor_until = clock_timestamp() + interval '400 ms' WHERE id = $1`, [
      runId,
    ]);
    expect(await room.becomes(runId, 'closed')).toBeGreaterThan(200);
  });

  apart('of a plan that is not the approved one does nothing', async (room) => {
    await room.host();
    const runId = await room.request([box('a')], { forged: true });
    await room.becomes(runId, 'paused: inconclusive');
    await room.wish(runId, 'resume');
    await eventually(async () => {
      expect((await room.events(runId)).filter(({ type }) => type === 'run.paused')).toHaveLength(2);
    });
    expect(await room.effects()).toEqual([]);
    await room.wish(runId, 'cancel');
    await room.becomes(runId, 'cancelled');
  });

  apart('that is dry shows and checks, and changes nothing', async (room) => {
    await room.host({ timing: { pollMs: 50 } });
    const runId = await room.request([box('a'), box('b', { fails: 'inspect' })], { mode: 'dry', scope: 'drill' });
    await room.becomes(runId, 'closed');
    expect(await room.effects()).toEqual([]);
    expect(await room.states(runId)).toEqual(['skipped', 'skipped']);
    expect((await room.events(runId)).find(({ type }) => type === 'step.preview')?.payload).toMatchObject({
      preview: { changes: [`INSERT INTO shelf.box VALUES ('a')`], lock: 'row', reversible: true },
    });
  });
});

describe('a step that does not come off', () => {
  apart('has what was done before it taken back, last first, save what stays off', async (room) => {
    await room.host();
    const runId = await room.request([box('a'), box('off', {}, 'shelf.keep'), box('b'), box('c', { fails: 'verify' })]);
    await room.becomes(runId, 'compensated');
    expect(await room.effects()).toEqual(['put a', 'put off', 'put b', 'put c', 'taken c', 'taken b', 'taken a']);
    expect(await room.boxes()).toEqual(['off']);
    expect(await room.states(runId)).toEqual(['compensated', 'verified', 'compensated', 'compensated']);
    expect(await room.result(runId)).toMatchObject({ remaining: [], kept: [{ idx: 1, action: 'shelf.keep' }] });
  });

  apart('is tried again when that may help, and not otherwise', async (room) => {
    await room.rows(`INSERT INTO shelf.fault VALUES ('shaky', 2)`);
    await room.host();
    const first = await room.request([box('shaky')]);
    await room.becomes(first, 'monitoring');
    expect(await room.steps(first)).toMatchObject([{ attempt: 3, state: 'verified' }]);

    await room.rows(`INSERT INTO shelf.fault VALUES ('shakier', 3)`);
    const second = await room.request([box('shakier')]);
    await room.becomes(second, 'compensated');
    expect(await room.steps(second)).toMatchObject([{ attempt: 3, state: 'failed', error: { effect: 'not-done' } }]);

    const third = await room.request([box('broken', { fails: 'execute' })]);
    await room.becomes(third, 'compensated');
    expect(await room.steps(third)).toMatchObject([{ attempt: 1, error: { code: 'shelf-broken' } }]);
  });

  apart('leaves a run that was told to hold for a person, who has it tried again', async (room) => {
    await room.host();
    await room.rows(`INSERT INTO shelf.fault VALUES ('b', 3)`);
    const runId = await room.request([box('a'), box('b')], { policy: 'hold' });
    await room.becomes(runId, 'paused: human', 30_000);
    expect(await room.states(runId)).toEqual(['verified', 'failed']);
    await room.wishFor(runId, 1, 'retry');
    await room.wish(runId, 'resume');
    await room.becomes(runId, 'monitoring');
    expect(await room.effects()).toEqual(['put a', 'put b']);
  });

  apart('is left out when a person says so and nothing of it was done', async (room) => {
    await room.host();
    const runId = await room.request([box('a', { fails: 'execute' }), box('b')], { policy: 'hold' });
    await room.becomes(runId, 'paused: human');
    await room.wishFor(runId, 0, 'skip', { reason: 'not needed' });
    await room.wish(runId, 'resume');
    await room.becomes(runId, 'monitoring');
    expect(await room.states(runId)).toEqual(['skipped', 'verified']);
    expect(await room.effects()).toEqual(['put b']);
  });

  apart('and of which nobody knows pauses the run; cancelled, it is taken back', async (room) => {
    await room.host();
    const runId = await room.request([box('a'), box('b', { fails: 'unknown' })]);
    await room.becomes(runId, 'paused: inconclusive');
    await room.wish(runId, 'cancel');
    await room.becomes(runId, 'compensated');
    expect(await room.boxes()).toEqual([]);
  });

  apart('and is not critical is passed over', async (room) => {
    await room.host();
    const runId = await room.request([box('a', { fails: 'execute' }, 'shelf.maybe'), box('b')]);
    await room.becomes(runId, 'monitoring');
    expect(await room.states(runId)).toEqual(['failed', 'verified']);
    expect(await room.result(runId)).toMatchObject({ passedOver: [0] });
  });

  apart(
    'and cannot be taken back leaves what it rests on, takes back the rest, and says what people have to do',
    async (room) => {
      await room.host();
      const runId = await room.request([
        { ...box('other'), domain: 'other' },
        { ...box('below'), domain: 'shelf' },
        { ...box('stuck', { fails: 'compensate' }), domain: 'shelf' },
        { ...box('c', { fails: 'verify' }), domain: 'other' },
      ]);
      await room.becomes(runId, 'manual');
      expect(await room.boxes()).toEqual(['below', 'stuck']);
      expect(await room.states(runId)).toEqual(['compensated', 'verified', 'compensation-failed', 'compensated']);
      expect(await room.result(runId)).toMatchObject({
        remaining: [
          { idx: 2, command: `belay undo ${runId} # step 2`, because: 'The shelf is broken.' },
          { idx: 1, because: 'step 2 rests on it and could not be taken back' },
        ],
      });
      await room.wish(runId, 'confirm');
      await room.becomes(runId, 'closed');
    },
  );

  apart('within its time is broken off on the server, and nothing of it is there', async (room) => {
    await room.host();
    const runId = await room.request([box('slow', { ms: 20_000 }, 'shelf.hasty')]);
    await room.becomes(runId, 'compensated');
    expect(await room.effects()).toEqual([]);
    expect(await room.steps(runId)).toMatchObject([{ error: { message: 'not done within 1 s', effect: 'not-done' } }]);
  });

  apart('and does not end when it is told to is refused at the door when it gets there', async (room) => {
    await room.host();
    const runId = await room.request([box('deaf', {}, 'shelf.deaf')]);
    await room.becomes(runId, 'compensated', 25_000);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await room.effects()).toEqual([]);
  });
});

describe('people', () => {
  apart('pause a run between two steps, and let it go on', async (room) => {
    await room.host();
    const runId = await room.request([box('a', { ms: 1_000 }), box('b')]);
    await begins(room, runId);
    await room.wish(runId, 'pause');
    await room.becomes(runId, 'paused: human');
    expect(await room.effects()).toEqual(['put a']);
    await room.wish(runId, 'resume');
    await room.becomes(runId, 'monitoring');
    expect(await room.effects()).toEqual(['put a', 'put b']);
  });

  apart('cancel a run that has done nothing, and one that has, which is then taken back', async (room) => {
    const waiting = await room.request([box('a')]);
    await room.wish(waiting, 'cancel');
    await room.host();
    await room.becomes(waiting, 'cancelled');
    const begun = await room.request([box('a', { ms: 1_000 }), box('b')]);
    await begins(room, begun);
    await room.wish(begun, 'cancel');
    await room.becomes(begun, 'compensated');
    expect(await room.effects()).toEqual(['put a', 'taken a']);
  });

  apart('are waited for, also across executors, until they say that it is done', async (room) => {
    const first = await room.host({ timing: { leaseTtlMs: 500, heartbeatMs: 100, pollMs: 100 } });
    const runId = await room.request([box('a', {}, 'shelf.ask'), box('b')]);
    await eventually(async () => {
      expect(await room.states(runId)).toEqual(['waiting', 'pending']);
    });
    await first.stop();
    await room.host();
    await room.wishFor(runId, 0, 'confirm', { plate: 'B-12' });
    await room.becomes(runId, 'monitoring');
    const [step] = await room.control(`SELECT result FROM control.run_step WHERE run_id = $1 AND idx = 0`, [runId]);
    expect(step).toEqual({ result: { by: 'jonas', facts: { plate: 'B-12' } } });
  });
});
