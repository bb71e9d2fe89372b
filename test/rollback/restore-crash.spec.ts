import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Action } from '../../libs/rollback/src/engine/action.js';
import { endSessions } from '../../libs/rollback/src/engine/fence.js';
import type { JsonObject } from '../../libs/rollback/src/engine/json.js';
import { databaseRestore } from '../../libs/rollback/src/restores/database.restore.action.js';
import { domainRestore } from '../../libs/rollback/src/restores/domain.restore.action.js';
import type { TestStep } from './action-room.js';
import { damage, YardRoom } from './yard-room.js';

/** From the first moment to the last: fractions of the time that a step takes when nobody disturbs it. */
const moments = [0.1, 0.4, 0.6, 0.75, 0.9];

/** Programs of their own that do a step, or take it back; the next one is started while the last one is at work. */
class Programs {
  #next = ready();

  /** Answers when it has begun. */
  async begin(yard: YardRoom, step: TestStep, how: 'execute' | 'compensate'): Promise<ChildProcess> {
    const child = await this.#next;
    this.#next = ready();
    const { runId, stepKey } = how === 'execute' ? step.context : step.back;
    child.send({ env: yard.env, action: step.action.name, input: step.input, runId, stepKey, how });
    await once(child, 'message');
    return child;
  }

  async close(): Promise<void> {
    (await this.#next).kill('SIGKILL');
  }
}

async function ready(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('processes/restore.ts', import.meta.url)), {
    execArgv: ['--import', new URL('../support/ts-loader.mjs', import.meta.url).href],
    env: {},
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  return child;
}

/** Killed after that time, if it still lives; what it left on the servers is ended, as whoever takes over does. */
async function killedAfter(yard: YardRoom, child: ChildProcess, runId: string, ms: number): Promise<boolean> {
  const exit = once(child, 'exit');
  await Promise.race([exit, sleep(ms)]);
  const alive = child.exitCode === null;
  child.kill('SIGKILL');
  await exit;
  await endSessions(yard.room.world, runId);
  return alive;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

describe.each([
  ['R4', domainRestore, 'yard'],
  ['R5', databaseRestore, 'application'],
] as const)('an executor that is killed in the middle of %s', (_path, action: Action, scope) => {
  let yard: YardRoom;
  let programs: Programs;
  let input: JsonObject;
  let good: unknown;
  let bad: unknown;
  beforeAll(async () => {
    programs = new Programs();
    yard = await YardRoom.open();
    good = await yard.content();
    const backupId = await yard.backUp(scope);
    input = scope === 'yard' ? { domain: 'yard', backupId } : { backupId };
    await yard.room.rows(damage);
    bad = await yard.content();
  }, 60_000);
  afterAll(async () => {
    await programs.close();
    await yard.dropKept();
    await yard.close();
  });

  it('leaves everything as it was, or done, and whoever goes on comes to the same end', async () => {
    const first = await yard.room.step(action, input);
    const [there, backAgain] = [await timed(() => first.execute()), await timed(() => first.compensate())];
    expect(await yard.content()).toEqual(bad);
    const ends: Record<string, number> = {};
    for (const moment of moments) {
      const step = await yard.room.step(action, input);
      const { runId } = step.context;
      const killed = await killedAfter(yard, await programs.begin(yard, step, 'execute'), runId, there * moment);
      const { effect } = await step.reconcile();
      expect(await yard.content()).toEqual(effect === 'done' ? good : bad);
      ends[`${killed ? 'killed' : 'ended'}, ${effect}`] = (ends[`${killed ? 'killed' : 'ended'}, ${effect}`] ?? 0) + 1;
      if (effect !== 'done') await step.execute();
      expect(await yard.content()).toEqual(good);
      expect(await step.verify()).toMatchObject({ outcome: 'pass' });
      expect(await yard.writesAllowed()).toBe(true);

      step.forget();
      await killedAfter(yard, await programs.begin(yard, step, 'compensate'), runId, backAgain * moment);
      await step.compensate();
      expect(await yard.content()).toEqual(bad);
      expect(await yard.writesAllowed()).toBe(true);
      await yard.dropKept();
    }
    console.info(`${action.name}: ${JSON.stringify(ends)}`);
  }, 240_000);

  it('is no different when it is its connections that are cut', async () => {
    for (const moment of moments.slice(2, 4)) {
      const step = await yard.room.step(action, input);
      const { runId } = step.context;
      const working = step.execute().catch((error: unknown) => error);
      await sleep(500 * moment);
      await endSessions(yard.room.world, runId);
      await working;
      step.forget();
      const { effect } = await step.reconcile();
      expect(await yard.content()).toEqual(effect === 'done' ? good : bad);
      await step.execute();
      expect(await yard.content()).toEqual(good);
      await step.compensate();
      expect(await yard.content()).toEqual(bad);
      expect(await yard.writesAllowed()).toBe(true);
      await yard.dropKept();
    }
  }, 120_000);
});
