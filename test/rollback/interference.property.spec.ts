import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditTrail } from '@belay/platform';
import fc from 'fast-check';
import { system } from '../../libs/rollback/src/engine/actor.js';
import { seizeLease } from '../../libs/rollback/src/engine/lease.js';
import { preempt } from '../../libs/rollback/src/engine/preempt.js';
import { isAllowed, transitions, type RunState } from '../../libs/rollback/src/engine/state.rules.js';
import { wishRun, type RunWish } from '../../libs/rollback/src/engine/wishes.js';
import { RunRoom } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';

/** What the model knows: that there is a run, and what people said last. */
interface Model {
  started: boolean;
  emergencies: number;
}

interface Real {
  readonly room: RunRoom;
  readonly control: Awaited<ReturnType<RunRoom['world']>>['control'];
  runId: string;
}

type Step = fc.AsyncCommand<Model, Real>;
const timing = { leaseTtlMs: 800, heartbeatMs: 150, pollMs: 50 };
const isStarted = ({ started }: Readonly<Model>) => started;

class Start implements Step {
  check = (model: Readonly<Model>) => !model.started;

  async run(model: Model, real: Real): Promise<void> {
    const boxes = ['a', 'b', 'c'].map((name) => ({ action: 'shelf.put', input: { name, ms: 20 } }));
    real.runId = await real.room.request(boxes);
    model.started = true;
  }

  toString = () => 'start';
}

class Wish implements Step {
  check = isStarted;

  constructor(readonly wish: RunWish) {}

  async run(_model: Model, { control, runId }: Real): Promise<void> {
    const client = await control.connect();
    await wishRun(client, runId, this.wish, system, 'a whim').finally(() => {
      client.release();
    });
  }

  toString = () => this.wish;
}

/** Every session of every executor is ended. */
class Cut implements Step {
  check = isStarted;

  async run(_model: Model, { room }: Real): Promise<void> {
    const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name ~ '^belay(:|-worker-rollback|-executor)'`;
    await room.rows(sql);
    await room.control(sql);
  }

  toString = () => 'cut';
}

/** Somebody takes the lease and dies. */
class Seize implements Step {
  check = isStarted;

  async run(_model: Model, { control }: Real): Promise<void> {
    await seizeLease(control, 'live', randomUUID(), { purpose: 'run', ttlMs: 100 });
  }

  toString = () => 'seize';
}

class Join implements Step {
  check = () => true;

  async run(_model: Model, { room }: Real): Promise<void> {
    await room.host({ timing });
  }

  toString = () => 'join';
}

class Emergency implements Step {
  check = ({ started, emergencies }: Readonly<Model>) => started && emergencies < 1;

  async run(model: Model, { room, control }: Real): Promise<void> {
    const client = await control.connect();
    try {
      await client.query('BEGIN');
      const about = { by: system, scope: 'live', reason: 'everything is on fire', environment: 'test' } as const;
      await preempt(client, control, new AuditTrail(control), about);
      await client.query('COMMIT');
    } finally {
      client.release();
    }
    await room.request([{ action: 'shelf.keep', input: { name: 'emergency' } }], {
      mode: 'emergency',
      policy: 'continue',
    });
    model.emergencies += 1;
  }

  toString = () => 'emergency';
}

class Wait implements Step {
  check = () => true;

  constructor(readonly ms: number) {}

  async run(): Promise<void> {
    await sleep(this.ms);
  }

  toString = () => `wait ${this.ms}`;
}

const commands = fc.commands(
  [
    fc.constant(new Start()),
    fc.constantFrom<RunWish>('pause', 'resume', 'cancel').map((wish) => new Wish(wish)),
    fc.constant(new Cut()),
    fc.constant(new Seize()),
    fc.constant(new Join()),
    fc.constant(new Emergency()),
    fc.integer({ min: 1, max: 150 }).map((ms) => new Wait(ms)),
  ],
  { maxCommands: 10 },
);
const lanes = 5;

describe('Feature: version-rollback, Property 7 and 15: whatever comes between', () => {
  const rooms: RunRoom[] = [];
  beforeAll(async () => {
    for (let lane = 0; lane < lanes; lane += 1) rooms.push(await RunRoom.open(shelfActions, { sql: shelfSql }));
  }, 60_000);
  afterAll(() => Promise.all(rooms.map((room) => room.close())));

  it('a run ends whole or not at all, with each effect once, by moves that there are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { minLength: lanes, maxLength: lanes }), async (lists) => {
        await Promise.all(
          lists.map(async (list, lane) => {
            const room = rooms[lane];
            if (!room) throw new Error('there is no room');
            await room.clear();
            await room.host({ timing });
            const { control } = await room.world();
            const real: Real = { room, control, runId: '' };
            await fc.asyncModelRun(() => ({ model: { started: false, emergencies: 0 }, real }), list);
            if (real.runId !== '') await settle(real);
            await room.closeWorlds();
          }),
        );
      }),
      { numRuns: 20, endOnFailure: true },
    );
  }, 240_000);
});

async function settle({ room, control, runId }: Real): Promise<void> {
  const until = performance.now() + 30_000;
  for (;;) {
    await sleep(30);
    const state = await room.state(runId);
    if (/^(monitoring|compensated|cancelled|manual)$/.test(state)) break;
    if (performance.now() > until) throw new Error(`the run is ${state}`);
    const [other] = await room.control(
      `SELECT FROM control.run WHERE id <> $1 AND state NOT IN ('monitoring', 'closed', 'cancelled', 'compensated')`,
      [runId],
    );
    if (!state.startsWith('paused') || other) continue;
    const client = await control.connect();
    await wishRun(client, runId, 'resume', system, 'let it end').finally(() => {
      client.release();
    });
  }
  await room.stopHosts();
  const state = await room.state(runId);
  const boxes = (await room.boxes()).filter((name) => name !== 'emergency');
  expect(boxes).toEqual(state === 'monitoring' ? ['a', 'b', 'c'] : []);
  const effects = await room.effects();
  expect(effects).toHaveLength(new Set(effects).size);

  const events = await room.events(runId);
  expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_event, place) => place + 1));
  let now: RunState = 'queued';
  for (const { type } of events) {
    const next = type === 'run.started' ? 'running' : type.slice('run.'.length);
    const to = Object.keys(transitions.run).find((one) => type.startsWith('run.') && one === next);
    if (to === undefined || !isRunState(to) || to === now) continue;
    // A run that is resumed goes back to where it was, which that event does not say.
    if (now !== 'paused') expect([now, to, isAllowed('run', now, to)]).toEqual([now, to, true]);
    now = to;
  }
}

function isRunState(name: string): name is RunState {
  return name in transitions.run;
}
