import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CONTROL, Consumes, CronJob, RUNTIME, type Domain, type Runtime } from '@belay/platform';
import { Inject, Injectable, Module } from '@nestjs/common';
import pg from 'pg';
import { z } from 'zod';
import { postgres } from './backends.js';
import { soon, TestWorkers } from './test-workers.js';
import { workshop } from './workshop.js';

@Injectable()
class Executor {
  static readonly made: { readonly processId: string; readonly controlled: boolean }[] = [];

  constructor(@Inject(RUNTIME) runtime: Runtime, @Inject(CONTROL) control: unknown) {
    Executor.made.push({ processId: runtime.processId, controlled: control instanceof pg.Pool });
  }
}

@Module({ providers: [Executor] })
class ExecutorModule {}

const withControl = { ...workshop, control: ExecutorModule } satisfies Domain;

describe('a worker process', () => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(postgres);
  });
  afterAll(() => workers.close());

  it('runs its control half whatever is switched off, once, and without jobs when told so', async () => {
    const worker = await workers.start({ WORKER_CONTEXTS: ['control'] }, [withControl]);
    workers.flags.on('enable_workshop');
    await workers.announce('nobody relays this');

    expect(Executor.made).toEqual([{ processId: worker.runtime.processId, controlled: true }]);
    await sleep(1_500);
    expect(await workers.rows(`SELECT FROM platform.outbox WHERE published_at IS NULL`)).toHaveLength(1);
    await worker.close();
  });

  it('does jobs without a control half when told so', async () => {
    Executor.made.length = 0;
    const worker = await workers.start({ WORKER_CONTEXTS: ['jobs'] }, [withControl]);
    await soon(async () => {
      expect(await workers.effects('received')).toHaveLength(1);
    });
    expect(Executor.made).toEqual([]);
    await worker.close();
  });

  it('tells its health and its figures where WORKER_PORT says', async () => {
    const worker = await workers.start({ WORKER_PORT: 0 });
    const ask = async (path: string) => {
      const response = await fetch(`${worker.url ?? ''}${path}`);
      return { status: response.status, text: await response.text() };
    };

    expect(await ask('/health/live')).toMatchObject({ status: 200 });
    expect(await ask('/health/ready')).toMatchObject({ status: 200 });
    expect((await ask('/metrics')).text).toContain('belay_queue_jobs{domain="workshop",state="waiting"} 0');
    expect(await ask('/api/accounts')).toMatchObject({ status: 404 });
    await worker.close();
    await expect(ask('/health/live')).rejects.toThrow();
  });

  it('tells others which jobs it does', async () => {
    const worker = await workers.start();
    await workers.announce('watched', { before: 4_000 });
    await soon(async () => {
      const [row] = await workers.controlRows<{ active_jobs: unknown }>(`SELECT active_jobs FROM control.process`);
      expect(row?.active_jobs).toMatchObject([{ domain: 'workshop', name: 'foundry.part-cast' }]);
    });
    await worker.close();
  });

  it.each([
    ['when whoever started it is gone', 'disconnect'],
    ['on SIGTERM', 'SIGTERM'],
    ['on SIGINT', 'SIGINT'],
  ] as const)('ends in order %s', async (_title, end) => {
    const child = fork(fileURLToPath(new URL('../../apps/worker/src/main.ts', import.meta.url)), {
      execArgv: ['--import', new URL('../support/ts-loader.mjs', import.meta.url).href],
      env: { ...workers.env, FLAGS_FILE: workers.flags.path },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    expect(await workers.controlRows(`SELECT FROM control.process WHERE pid = $1`, [child.pid])).toHaveLength(1);

    const exited = once(child, 'exit');
    if (end === 'disconnect') child.disconnect();
    else child.kill(end);
    expect(await exited).toEqual([0, null]);
    expect(await workers.controlRows(`SELECT FROM control.process WHERE pid = $1`, [child.pid])).toEqual([]);
  });
});

describe('a mistake in the declarations', () => {
  let workers: TestWorkers;
  beforeAll(async () => {
    workers = await TestWorkers.on(postgres);
  });
  afterAll(() => workers.close());

  class Twice {
    @CronJob({ name: 'clean', cron: '0 0 * * *' })
    one(): Promise<void> {
      return Promise.resolve();
    }

    @CronJob({ name: 'clean', cron: '0 1 * * *' })
    other(): Promise<void> {
      return Promise.resolve();
    }
  }

  class Eavesdropper {
    @Consumes('foundry.fire-lit', z.object({}))
    hear(): Promise<void> {
      return Promise.resolve();
    }
  }

  const shop = (providers: (new () => object)[], listens: string[]) => {
    @Module({ providers })
    class Jobs {}
    return {
      ...workshop,
      name: 'shop',
      flag: 'enable_shop',
      defaultOn: true,
      features: [],
      jobs: Jobs,
      listens,
    } satisfies Domain;
  };

  it.each([
    ['two handlers of one name', [Twice], [], 'shop handles clean twice'],
    [
      'a consumer the manifest does not know',
      [Eavesdropper],
      [],
      'shop consumes foundry.fire-lit without listening to it',
    ],
    ['an event nobody consumes', [], ['foundry.fire-lit'], 'shop listens to foundry.fire-lit, which nothing consumes'],
  ])('stops the boot: %s', async (_title, providers, listens, message) => {
    await expect(workers.start({}, [shop(providers, listens)])).rejects.toThrow(message);
  });
});
