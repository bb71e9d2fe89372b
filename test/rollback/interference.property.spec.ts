import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditTrail, migrateUp, violates } from '@belay/platform';
import fc from 'fast-check';
import { migrationDown } from '../../libs/rollback/src/actions/migration.down.action.js';
import { purge } from '../../libs/rollback/src/actions/purge.action.js';
import { whileAlone } from '../../libs/rollback/src/engine/alone.js';
import { system } from '../../libs/rollback/src/engine/actor.js';
import { seizeLease } from '../../libs/rollback/src/engine/lease.js';
import { preempt } from '../../libs/rollback/src/engine/preempt.js';
import { isAllowed, transitions, type RunState } from '../../libs/rollback/src/engine/state.rules.js';
import { wishRun, type RunWish } from '../../libs/rollback/src/engine/wishes.js';
import { stepUndo } from '../../libs/rollback/src/plans/step.undo.action.js';
import { agreeToPurge, crateIn, crateOf, deployedAt, newestCrate, noCrate, removeCrate, type Crate } from './crate.js';
import { RunRoom, type WantedStep } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';

/** What the model knows: how much was asked for. */
interface Model {
  affairs: number;
  emergencies: number;
}

/** Something that is done whole or not at all: a run, or a deployment that came off. */
type Affair =
  | { readonly what: 'put'; readonly runId: string; readonly boxes: readonly string[] }
  | { readonly what: 'undo'; readonly runId: string; readonly of: string }
  | { readonly what: 'park' | 'purge'; readonly runId: string }
  | { readonly what: 'deploy'; readonly left: Crate; readonly at: Date };

interface Real {
  readonly room: RunRoom;
  readonly control: Awaited<ReturnType<RunRoom['world']>>['control'];
  readonly affairs: Affair[];
}

type Step = fc.AsyncCommand<Model, Real>;
const timing = { leaseTtlMs: 800, heartbeatMs: 150, pollMs: 50 };
const isStarted = ({ affairs }: Readonly<Model>) => affairs > 0;
const mayAsk = ({ affairs }: Readonly<Model>) => affairs < 4;

/** Undefined while another run has not ended. */
async function asked(room: RunRoom, steps: readonly WantedStep[]): Promise<string | undefined> {
  return room.request(steps).catch((error: unknown) => {
    if (!violates(error, 'run_is_alone_in_its_scope')) throw error;
    return undefined;
  });
}

class Start implements Step {
  check = mayAsk;

  async run(model: Model, { room, affairs }: Real): Promise<void> {
    const boxes = ['a', 'b', 'c'].map((name) => `${name}${model.affairs}`);
    const runId = await asked(
      room,
      boxes.map((name) => ({ action: 'shelf.put', input: { name, ms: 20 } })),
    );
    model.affairs += 1;
    if (runId !== undefined) affairs.push({ what: 'put', runId, boxes });
  }

  toString = () => 'start';
}

/** Takes the last run that put something back, whatever has become of it. */
class Undo implements Step {
  check = (model: Readonly<Model>) => isStarted(model) && mayAsk(model);

  async run(model: Model, { room, affairs }: Real): Promise<void> {
    const last = affairs.findLast((one) => one.what === 'put');
    if (!last || affairs.some((one) => one.what === 'undo' && one.of === last.runId)) return;
    if ((await room.state(last.runId)) !== 'monitoring') return;
    const steps = [2, 1, 0].map((idx) => ({
      action: 'step.undo',
      input: { runId: last.runId, idx },
      destructive: true,
    }));
    const runId = await asked(room, steps);
    model.affairs += 1;
    if (runId !== undefined) affairs.push({ what: 'undo', runId, of: last.runId });
  }

  toString = () => 'undo';
}

/** Puts the crate aside, or drops for good what was put aside of it. */
class Shelve implements Step {
  check = mayAsk;

  constructor(readonly what: 'park' | 'purge') {}

  async run(model: Model, { room, affairs }: Real): Promise<void> {
    if (this.what === 'purge') await agreeToPurge(room);
    const action = this.what === 'park' ? 'migration.down' : 'purge';
    const runId = await asked(room, [{ action, input: { domain: 'crate' }, domain: 'crate', destructive: true }]);
    model.affairs += 1;
    if (runId !== undefined) affairs.push({ what: this.what, runId });
  }

  toString = () => this.what;
}

/** The next version of the crate, under the lease that runs take; its sessions may be ended in the middle of it. */
class Deploy implements Step {
  check = mayAsk;

  constructor(readonly cutAfterMs: number | null) {}

  async run(model: Model, { room, affairs }: Real): Promise<void> {
    const { databaseUrl, controlUrl } = room.databases;
    model.affairs += 1;
    const version = 1 + affairs.filter(({ what }) => what === 'deploy').length;
    const { cutAfterMs } = this;
    const cutting = cutAfterMs === null ? undefined : sleep(cutAfterMs).then(() => cut(room));
    const migrating = () => migrateUp({ databaseUrl, controlUrl }, crateOf(version), 'crate');
    const done = await whileAlone(controlUrl, 'deploy', migrating).then(
      () => true,
      () => false,
    );
    await cutting;
    if (done) affairs.push({ what: 'deploy', left: live(version), at: await deployedAt(room) });
    // Cut off it has done some of its migrations, each of them whole; a run cannot have come in between.
    else if (cutting) affairs.push({ what: 'deploy', left: await crateIn(room), at: await deployedAt(room) });
  }

  toString = () => (this.cutAfterMs === null ? 'deploy' : `deploy, cut after ${this.cutAfterMs}`);
}

class Wish implements Step {
  check = isStarted;

  constructor(readonly wish: RunWish) {}

  async run(_model: Model, { control, affairs }: Real): Promise<void> {
    const runId = lastRun(affairs);
    if (runId === undefined) return;
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
    await cut(room);
  }

  toString = () => 'cut';
}

async function cut(room: RunRoom): Promise<void> {
  const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name ~ '^belay(:|-worker-rollback|-executor)'`;
  await room.rows(sql);
  await room.control(sql);
}

function live(version: number): Crate {
  return { applied: version, parked: 0, rows: 10, columns: version - 1 };
}

function lastRun(affairs: readonly Affair[]): string | undefined {
  return affairs.flatMap((one) => (one.what === 'deploy' ? [] : [one.runId])).at(-1);
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
  check = (model: Readonly<Model>) => isStarted(model) && model.emergencies < 1;

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
    fc.constant(new Undo()),
    fc.constantFrom(new Shelve('park'), new Shelve('purge')),
    fc.option(fc.integer({ min: 1, max: 80 }), { freq: 2 }).map((ms) => new Deploy(ms)),
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
const known = [...shelfActions, migrationDown, purge, stepUndo(shelfActions)];

describe('Feature: version-rollback, Property 7 and 15: whatever comes between', () => {
  const rooms: RunRoom[] = [];
  beforeAll(async () => {
    for (let lane = 0; lane < lanes; lane += 1)
      rooms.push(await RunRoom.open(known, { sql: shelfSql, ledgers: crateOf(newestCrate) }));
  }, 60_000);
  afterAll(() => Promise.all(rooms.map((room) => room.close())));

  it('a run, an undo, a purge and a deployment are there whole or not at all, with each effect once, by moves that there are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { minLength: lanes, maxLength: lanes }), async (lists) => {
        await Promise.all(
          lists.map(async (list, lane) => {
            const room = rooms[lane];
            if (!room) throw new Error('there is no room');
            await room.clear();
            await removeCrate(room);
            await room.host({ timing });
            const { control } = await room.world();
            const real: Real = { room, control, affairs: [] };
            await fc.asyncModelRun(() => ({ model: { affairs: 0, emergencies: 0 }, real }), list);
            await settle(real);
            await room.closeWorlds();
          }),
        );
      }),
      { numRuns: 20, endOnFailure: true },
    );
  }, 240_000);
});

async function settle({ room, control, affairs }: Real): Promise<void> {
  const until = performance.now() + 30_000;
  for (;;) {
    const [open] = await room.control<{ id: string; state: string }>(
      `SELECT id, state FROM control.run WHERE state NOT IN ('monitoring', 'closed', 'cancelled', 'compensated', 'manual')
       ORDER BY (mode = 'emergency') DESC LIMIT 1`,
    );
    if (!open) break;
    if (performance.now() > until) throw new Error(`run ${open.id} is ${open.state}`);
    await sleep(30);
    if (open.state !== 'paused') continue;
    const client = await control.connect();
    await wishRun(client, open.id, 'resume', system, 'let it end').finally(() => {
      client.release();
    });
  }
  await room.stopHosts();
  const expected = await foreseen(room, affairs);
  expect((await room.boxes()).filter((name) => name !== 'emergency')).toEqual(expected.boxes.toSorted());
  const effects = (await room.effects()).filter((told) => !told.endsWith('emergency'));
  expect(effects).toHaveLength(new Set(effects).size);
  expect(await crateIn(room)).toEqual(expected.crate);
  for (const one of affairs) if (one.what !== 'deploy') await judgeEvents(room, one.runId);
}

/** What must be there when everything that ended well has had its whole effect, and everything else none. */
async function foreseen(room: RunRoom, affairs: readonly Affair[]) {
  let boxes: string[] = [];
  let crate = noCrate;
  for (const one of await inOrder(room, affairs)) {
    if (one.what === 'deploy') {
      crate = one.left;
      continue;
    }
    const states = await room.states(one.runId);
    const whole = (await room.state(one.runId)) === 'monitoring';
    // What was taken back stays so, also when the rest was cancelled.
    if (one.what === 'undo') {
      const put = affairs.find((other) => other.what === 'put' && other.runId === one.of);
      const back = put?.what === 'put' ? put.boxes.toReversed().filter((_name, idx) => states[idx] === 'verified') : [];
      boxes = boxes.filter((name) => !back.includes(name));
    }
    if (!whole) continue;
    if (one.what === 'put') boxes.push(...one.boxes);
    const { applied, parked } = crate;
    if (one.what === 'park') crate = { ...crate, applied: 0, parked: applied + parked, columns: 0 };
    if (one.what === 'purge') crate = applied === 0 ? noCrate : { ...crate, parked: 0 };
  }
  return { boxes, crate };
}

/** A deployment may come before a run that was asked for earlier: what is queued or was pre-empted keeps nobody out. */
async function inOrder(room: RunRoom, affairs: readonly Affair[]): Promise<readonly Affair[]> {
  const effects = await room.control<{ id: string; at: Date }>(
    `SELECT run_id AS id, max(at) AS at FROM control.run_event WHERE type = 'step.effect-done' GROUP BY 1`,
  );
  const times = new Map(effects.map(({ id, at }) => [id, at]));
  const timeOf = (one: Affair) => (one.what === 'deploy' ? one.at : (times.get(one.runId) ?? new Date(0))).getTime();
  return affairs.toSorted((one, other) => timeOf(one) - timeOf(other));
}

async function judgeEvents(room: RunRoom, runId: string): Promise<void> {
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
