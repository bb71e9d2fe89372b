import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AuditTrail } from '@belay/platform';
import { journalPoints } from '../../libs/rollback/src/engine/journal-point.js';
import { RunRoom, type WantedStep } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';

interface Trouble {
  readonly idx: number;
  /** Something the step meets, or a point at which every session is ended. */
  readonly kind: 'execute' | 'verify' | 'cut' | 'none';
  readonly point: (typeof journalPoints)[number];
  readonly stuck: number | null;
}

interface Story {
  readonly steps: readonly ('shelf.put' | 'shelf.keep' | 'shelf.maybe' | 'shelf.risky')[];
  readonly trouble: Trouble;
}

const story: fc.Arbitrary<Story> = fc
  .array(fc.constantFrom('shelf.put', 'shelf.keep', 'shelf.maybe', 'shelf.risky' as const), {
    minLength: 1,
    maxLength: 4,
  })
  .chain((steps) =>
    fc.record({
      steps: fc.constant(steps),
      trouble: fc.record({
        idx: fc.nat(steps.length - 1),
        kind: fc.constantFrom('execute', 'verify', 'cut', 'cut', 'none' as const),
        point: fc.constantFrom(...journalPoints),
        stuck: fc.option(fc.nat(steps.length - 1), { freq: 4 }),
      }),
    }),
  );

const lanes = 5;
const timing = { leaseTtlMs: 800, heartbeatMs: 150, pollMs: 50 };

describe('Feature: version-rollback, Property 7 and 10: any plan and any single fault', () => {
  const rooms: RunRoom[] = [];
  beforeAll(async () => {
    for (let lane = 0; lane < lanes; lane += 1) rooms.push(await RunRoom.open(shelfActions, { sql: shelfSql }));
  }, 60_000);
  afterAll(() => Promise.all(rooms.map((room) => room.close())));

  it('ends at the target, or at what was there before save what stays off, or with the list; and is told without a gap', async () => {
    const batch = fc.array(story, { minLength: lanes, maxLength: lanes });
    await fc.assert(
      fc.asyncProperty(batch, async (stories) => {
        await Promise.all(stories.map((one, lane) => happens(rooms[lane], one)));
      }),
      { numRuns: 20, endOnFailure: true },
    );
    for (const room of rooms) {
      const world = await room.world();
      expect((await new AuditTrail(world.control).verify()).broken).toBeUndefined();
    }
  }, 240_000);
});

async function happens(room: RunRoom | undefined, { steps, trouble }: Story): Promise<void> {
  if (!room) throw new Error('there is no room');
  await room.clear();
  let cuts = 0;
  const world = await room.world();
  await room.host({
    world,
    timing,
    observe: async (point, { idx }) => {
      if (trouble.kind !== 'cut' || cuts > 0 || point !== trouble.point || idx !== trouble.idx) return;
      cuts += 1;
      const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND application_name LIKE 'belay%'`;
      await room.rows(end);
      await room.control(end);
    },
  });
  const wanted = steps.map((action, idx): WantedStep => {
    const fails =
      idx === trouble.idx && (trouble.kind === 'execute' || trouble.kind === 'verify') ? trouble.kind : null;
    return { action, input: { name: `box ${idx}`, fails: fails ?? (trouble.stuck === idx ? 'compensate' : null) } };
  });
  const runId = await room.request(wanted);
  const rests = /^(monitoring|compensated|manual)$/;
  for (let waited = 0; !rests.test(await room.state(runId)); waited += 1) {
    if (waited > 1_500) throw new Error(`the run is ${await room.state(runId)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await room.closeWorlds();
  await judge(room, runId, steps, trouble);
}

async function judge(room: RunRoom, runId: string, steps: Story['steps'], trouble: Trouble): Promise<void> {
  const state = await room.state(runId);
  const boxes = await room.boxes();
  const all = steps.map((_action, idx) => `box ${idx}`);
  const failing = trouble.kind === 'execute' || trouble.kind === 'verify';
  const fatal = failing && steps[trouble.idx] !== 'shelf.maybe';
  if (!fatal) {
    expect(state).toBe('monitoring');
    const missing = trouble.kind === 'execute' ? [`box ${trouble.idx}`] : [];
    expect(boxes).toEqual(all.filter((name) => !missing.includes(name)));
  } else {
    const kept = steps.flatMap((action, idx) => {
      const there = idx < trouble.idx || (idx === trouble.idx && trouble.kind === 'verify');
      return there && action === 'shelf.keep' ? [`box ${idx}`] : [];
    });
    if (state === 'compensated') expect(boxes).toEqual(kept);
    else {
      expect(state).toBe('manual');
      const { remaining } = await room.result(runId);
      const left = Array.isArray(remaining) ? remaining.map((one: { idx: number }) => `box ${one.idx}`) : [];
      expect(boxes).toEqual([...kept, ...left].toSorted());
      expect(left).toContain(`box ${trouble.stuck}`);
    }
  }
  const effects = await room.effects(runId);
  expect(effects).toHaveLength(new Set(effects).size);

  const events = await room.events(runId);
  expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_event, place) => place + 1));
  const percents = events.flatMap(({ payload }) =>
    typeof payload['percent'] === 'number' ? [payload['percent']] : [],
  );
  expect(percents).toEqual(percents.toSorted((one, other) => one - other));
  for (const step of await room.steps(runId)) {
    if (step.state !== 'verified') continue;
    const told = events.filter(({ payload }) => payload['idx'] === step.idx).map(({ type }) => type);
    expect(told).toEqual(expect.arrayContaining(['step.started', 'step.verify-result', 'step.finished']));
    expect(told.indexOf('step.started')).toBeLessThan(told.indexOf('step.verify-result'));
  }
}
