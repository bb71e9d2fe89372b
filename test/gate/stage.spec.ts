import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { readConfig, Stage, startRuntime, type Config, type Domain, type RunningRuntime } from '@belay/platform';
import { z } from 'zod';
import { startApi, type RunningApi } from '../../apps/api/src/api.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { beacon } from '../support/domains/beacon.js';
import { gauge } from '../support/domains/gauge.js';
import { probe } from '../support/domains/probe.js';
import { eventually } from '../support/eventually.js';
import { FlagsFile } from './flags-file.js';

const domains = [directory, beacon, probe, gauge];
const withoutProbe = ['directory', 'beacon'];
const whole = [...withoutProbe, 'probe', 'gauge'];

let databases: TestDatabases;
let flags: FlagsFile;
let config: Config;
beforeAll(async () => {
  databases = await createDatabases();
});
afterAll(() => databases.drop());
beforeEach(() => {
  flags = new FlagsFile(domains, ['enable_probe', 'enable_gauge', 'probe_export']);
  config = {
    ...readConfig({
      DATABASE_URL: databases.databaseUrl,
      CONTROL_DATABASE_URL: databases.controlUrl,
      SECRET_KEY: Buffer.alloc(32).toString('base64'),
      LOG_LEVEL: 'silent',
      PORT: '0',
      ANONYMOUS_RATE_LIMIT_PER_MINUTE: '1000000',
    }),
    FLAGS_FILE: flags.path,
  };
});
afterEach(() => {
  flags.remove();
});

describe('a running API whose modules change', () => {
  let api: RunningApi;
  beforeEach(async () => {
    api = await startApi({ config, domains });
  });
  afterEach(() => api.close());

  const composed = (expected: readonly string[]) =>
    eventually(() => {
      expect(api.runtime.presence.booted).toEqual(expected);
    }, 5_000);

  async function answer(path: string, init?: RequestInit): Promise<{ status: number; code: string | undefined }> {
    const response = await fetch(`${api.url}${path}`, init);
    const body = z.object({ code: z.string() }).safeParse(await response.json().catch(() => ({})));
    return { status: response.status, code: body.data?.code };
  }

  async function documented(): Promise<string[]> {
    const document: unknown = await (await fetch(`${api.url}/docs-json`)).json();
    return Object.keys(z.object({ paths: z.record(z.string(), z.unknown()) }).parse(document).paths);
  }

  it('loses the routes and the documentation of a module that goes off, and has them again', async () => {
    expect(await documented()).toEqual(expect.arrayContaining(['/api/probe', '/api/gauge', '/api/beacon']));
    flags.off('enable_probe');
    await composed(withoutProbe);
    const paths = await documented();
    expect(paths.filter((path) => /probe|gauge/.test(path))).toEqual([]);
    expect(paths).toContain('/api/beacon');
    for (const path of ['/api/probe', '/api/probe?ms=3', '/api/probe/exports', '/api/gauge']) {
      expect(await answer(path)).toEqual({ status: 404, code: 'module-off' });
    }
    expect(await answer('/api/probe', { method: 'POST' })).toEqual({ status: 404, code: 'module-off' });
    expect(await answer('/api/probe', { method: 'PATCH' })).toEqual({ status: 404, code: 'module-off' });
    expect((await answer('/api/probe', { method: 'HEAD' })).status).toBe(404);
    expect(await answer('/api/nowhere')).toEqual({ status: 404, code: 'not-found' });
    expect((await answer('/api/beacon')).status).toBe(200);

    flags.on('enable_probe');
    await composed(whole);
    expect((await answer('/api/gauge')).status).toBe(200);
    expect(await documented()).toContain('/api/probe');
  });

  it('keeps connections, and ends requests with the application that they began with', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (path: string) =>
      new Promise<{ status: number | undefined; port: number | undefined }>((resolve, reject) => {
        const asked = request(`${api.url}${path}`, { agent }, (response) => {
          const port = response.socket.localPort;
          response.resume().on('end', () => {
            resolve({ status: response.statusCode, port });
          });
        });
        asked.on('error', reject).end();
      });
    const first = await ask('/api/probe');
    const slow = answer('/api/probe?ms=1500');
    await sleep(50);
    flags.off('enable_probe');
    await composed(withoutProbe);
    const later = await ask('/api/beacon');
    expect(later).toEqual({ status: 200, port: first.port });
    expect(await ask('/api/probe')).toEqual({ status: 404, port: first.port });
    expect(await slow).toEqual({ status: 200, code: undefined });
    agent.destroy();
  });

  it('ends event streams when it is rebuilt, so that the clients come back', async () => {
    const stream = await fetch(`${api.url}/api/probe/events`);
    flags.off('enable_gauge');
    await composed(['directory', 'beacon', 'probe']);
    expect(await stream.text()).toContain('id: 1');
    const again = await fetch(`${api.url}/api/probe/events`);
    expect(again.status).toBe(200);
    await again.body?.cancel();
  });

  it('follows to the last of many changes', async () => {
    for (let n = 0; n < 19; n += 1) {
      flags.set('enable_probe', { enabled: n % 2 === 1 });
      await sleep(n * 7);
    }
    await composed(withoutProbe);
    await sleep(500);
    expect(api.runtime.presence.booted).toEqual(withoutProbe);
  });

  it('answers what is under way before it ends, and takes nothing new', async () => {
    const slow = answer('/api/probe?ms=700');
    const stream = await fetch(`${api.url}/api/probe/events`);
    await sleep(50);
    const began = performance.now();
    await api.close();
    expect(performance.now() - began).toBeLessThan(4_000);
    expect((await slow).status).toBe(200);
    expect(await stream.text()).toContain('id: 1');
    await expect(fetch(`${api.url}/api/beacon`)).rejects.toThrow();
  });

  it('does not wait for what takes for ever', async () => {
    const slow = fetch(`${api.url}/api/probe?ms=10000`).catch(() => 'cut off');
    await sleep(50);
    const began = performance.now();
    await api.close();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await slow).toBe('cut off');
  });
});

describe('a stage', () => {
  let runtime: RunningRuntime;
  beforeEach(async () => {
    runtime = await startRuntime('worker', domains, config);
  });
  afterEach(() => runtime.close());

  /** An application that only says what happens to it. */
  function rehearsal(build: (names: readonly string[], attempt: number) => Promise<void>) {
    const events: string[] = [];
    let attempts = 0;
    let building = 0;
    const options = {
      ...runtime,
      build: async (enabled: readonly Domain[]) => {
        const names = enabled.map(({ name }) => name);
        attempts += 1;
        building += 1;
        expect(building).toBe(1);
        await build(names, attempts).finally(() => (building -= 1));
        const last = names.at(-1) ?? '';
        return {
          last,
          close: () => {
            events.push(`close ${last}`);
            return Promise.resolve();
          },
        };
      },
      show: ({ last }: { last: string }) => {
        events.push(`show ${last}`);
      },
      drain: async ({ last }: { last: string }) => {
        await sleep(20);
        events.push(`drain ${last}`);
      },
    };
    return { events, open: () => Stage.open(options), attempts: () => attempts };
  }

  const builds = async (outcome: string) => {
    const metric = await runtime.metrics.getSingleMetric('belay_stage_builds_total')?.get();
    return metric?.values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;
  };

  it('shows the new application before it drains and closes the old one', async () => {
    const { events, open } = rehearsal(() => sleep(5));
    const stage = await open();
    flags.off('enable_gauge');
    await eventually(() => {
      expect(events).toEqual(['show gauge', 'show probe', 'drain gauge', 'close gauge']);
    });
    await stage.close();
    expect(events.slice(4)).toEqual(['drain probe', 'close probe']);
    expect(await builds('ok')).toBe(2);
  });

  it('builds once more when something changes during a build, and shows the last state', async () => {
    const { events, open, attempts } = rehearsal(() => sleep(500));
    const stage = await open();
    for (const flag of ['enable_gauge', 'enable_probe', 'enable_beacon']) {
      flags.off(flag);
      await sleep(150);
    }
    await stage.settled();
    expect(attempts()).toBe(3);
    expect(events.filter((event) => event.startsWith('show')).at(-1)).toBe('show directory');
    await stage.close();
  });

  it('keeps the old application when the new one cannot be built, counts it, and tries again', async () => {
    const { events, open, attempts } = rehearsal((_names, attempt) =>
      attempt === 2 || attempt === 3 ? Promise.reject(new Error('cannot be built')) : Promise.resolve(),
    );
    const stage = await open();
    flags.off('enable_gauge');
    await eventually(() => {
      expect(attempts()).toBe(2);
    });
    await stage.settled();
    expect(events).toEqual(['show gauge']);
    expect(runtime.presence.booted).toEqual(whole);
    await eventually(() => {
      expect(runtime.presence.booted).toEqual(['directory', 'beacon', 'probe']);
    }, 6_000);
    expect(attempts()).toBe(4);
    expect([await builds('ok'), await builds('failed')]).toEqual([2, 2]);
    await stage.close();
  });

  it('does not open when its first application cannot be built', async () => {
    const { open } = rehearsal(() => Promise.reject(new Error('cannot be built')));
    await expect(open()).rejects.toThrow('cannot be built');
  });
});
