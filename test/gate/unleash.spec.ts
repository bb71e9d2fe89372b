import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import {
  defaultFlagsDocument,
  parseFlags,
  readConfig,
  startRuntime,
  type Config,
  type RunningRuntime,
} from '@belay/platform';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { probeSql } from '../support/domains/probe.jobs.js';
import { beacon } from '../support/domains/beacon.js';
import { gauge } from '../support/domains/gauge.js';
import { probe } from '../support/domains/probe.js';
import { eventually } from '../support/eventually.js';
import { startUnleash, type TestUnleash } from '../support/unleash.js';
import { GatedProcess, now } from './gated-process.js';
import { Crowd } from './crowd.js';
import { SettableControl } from './settable-control.js';
import { judged, summary } from './summary.js';

const domains = [directory, beacon, probe, gauge];
const booted = (runtime: RunningRuntime) => runtime.gate.enabled().map(({ name }) => name);

let unleash: TestUnleash;
let databases: TestDatabases;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'belay-test-unleash-'));
  databases = await createDatabases();
  unleash = await startUnleash();
  await unleash.admin.create('enable_probe');
  await unleash.admin.create('enable_beacon');
  await unleash.admin.create('probe_export');
  await unleash.admin.create('use_new_sales_format');
  for (const flag of ['enable_probe', 'enable_beacon', 'probe_export']) await unleash.admin.set(flag, true);
}, 90_000);
afterAll(async () => {
  await unleash.stop();
  await databases.drop();
  rmSync(folder, { recursive: true });
});

const environment = (backup: string) => ({
  NODE_ENV: 'test',
  LOG_LEVEL: 'silent',
  PORT: '0',
  SECRET_KEY: Buffer.alloc(32).toString('base64'),
  DATABASE_URL: databases.databaseUrl,
  CONTROL_DATABASE_URL: databases.controlUrl,
  DATABASE_POOL: '2',
  ANONYMOUS_RATE_LIMIT_PER_MINUTE: '10000000',
  UNLEASH_URL: unleash.apiUrl,
  UNLEASH_TOKEN: unleash.token,
  FLAGS_BACKUP_DIR: join(folder, backup),
});
const start = (backup: string, more: Partial<Config> = {}) =>
  startRuntime('api', domains, { ...readConfig(environment(backup)), ...more });

describe('flags of an Unleash server', () => {
  const started: RunningRuntime[] = [];
  const running = async (...options: Parameters<typeof start>) => {
    const runtime = await start(...options);
    started.push(runtime);
    return runtime;
  };
  afterEach(async () => {
    for (const runtime of started.splice(0)) await runtime.close();
  });

  it('decide what is on, win over the defaults of the release, and are kept for the next start', async () => {
    const runtime = await running('first');
    expect(runtime.flags.origin).toBe('unleash');
    expect(booted(runtime)).toEqual(['directory', 'beacon', 'probe']);
    // Unleash has never heard of this one, and the release has it on.
    expect(runtime.gate.explain('probe_masking')).toMatchObject({ mode: 'on', source: { known: false } });
    expect(runtime.gate.explain('enable_gauge')).toMatchObject({ mode: 'off', source: { known: false } });

    await unleash.admin.set('enable_beacon', false);
    await eventually(() => {
      expect(booted(runtime)).toEqual(['directory', 'probe']);
    });
    const kept = parseFlags(JSON.parse(readFileSync(join(folder, 'first', 'unleash.json'), 'utf8')));
    expect(kept.features.find(({ name }) => name === 'enable_beacon')).toMatchObject({ enabled: false });
    await unleash.admin.set('enable_beacon', true);
    await eventually(() => {
      expect(booted(runtime)).toEqual(['directory', 'beacon', 'probe']);
    });
  });

  it('carry modes and shares of users', async () => {
    const runtime = await running('first');
    await unleash.admin.setMode('enable_probe', 'drain');
    await eventually(() => {
      expect(runtime.gate.domainMode('probe')).toBe('drain');
    });
    await unleash.admin.setMode('enable_probe', 'on');

    await unleash.admin.setPercent('use_new_sales_format', 50);
    await unleash.admin.set('use_new_sales_format', true);
    await eventually(() => {
      expect(runtime.flags.reading('use_new_sales_format')).toMatchObject({ on: true, gradual: true });
    });
    const users = Array.from({ length: 10_000 }, (_, n) => ({ userId: `u${n + 1}` }));
    const on = users.map((user) => runtime.flags.modeFor('use_new_sales_format', user) === 'on');
    expect(on.slice(0, 10)).toEqual([60, 48, 65, 87, 98, 65, 68, 56, 39, 82].map((bucket) => bucket <= 50));
    expect(on.filter(Boolean)).toHaveLength(4_920);
    await eventually(() => {
      expect(runtime.gate.domainMode('probe')).toBe('on');
    });
  });

  it('refuse a start whose token is not good, in one sentence', async () => {
    await expect(start('stranger', { UNLEASH_TOKEN: 'default:development.wrong' })).rejects.toMatchObject({
      name: 'FlagsUnavailable',
      message: expect.stringMatching(
        /^Refusing to start without flags: Unleash at .* is not usable \(it answers 40[13]\)/,
      ),
    });
  });

  it('stay as they were when the server goes away, and are followed again when it is back', async () => {
    const before = await running('first');
    await unleash.kill();

    // Boots from the last state that a process of this host has seen.
    const fromBackup = await running('first');
    expect(fromBackup.flags.origin).toBe('backup');
    expect(booted(fromBackup)).toEqual(['directory', 'beacon', 'probe']);
    expect(fromBackup.flags.sha256).toBe(before.flags.sha256);

    const bootstrap = join(folder, 'bootstrap.json');
    const shipped = defaultFlagsDocument(domains).features.map((flag) => ({
      ...flag,
      enabled: flag.name === 'enable_probe',
    }));
    writeFileSync(bootstrap, JSON.stringify({ version: 2, features: shipped }));
    const fromBootstrap = await running('never', { FLAGS_BOOTSTRAP_FILE: bootstrap });
    expect(fromBootstrap.flags.origin).toBe('bootstrap');
    expect(booted(fromBootstrap)).toEqual(['directory', 'probe']);
    // What was shipped is not what Unleash has said.
    expect(existsSync(join(folder, 'never', 'unleash.json'))).toBe(false);

    await expect(start('never')).rejects.toMatchObject({
      name: 'FlagsUnavailable',
      message: expect.stringMatching(
        /^Refusing to start without flags: Unleash at .* is not usable \(.*ECONNREFUSED.*\), the backup file is not readable \(.*\), FLAGS_BOOTSTRAP_FILE is not set\.$/,
      ),
    });
    writeFileSync(join(folder, 'broken.json'), '{"features": [{"name": 1}]}');
    await expect(start('never', { FLAGS_BOOTSTRAP_FILE: join(folder, 'broken.json') })).rejects.toMatchObject({
      name: 'FlagsUnavailable',
    });
    expect(booted(before)).toEqual(['directory', 'beacon', 'probe']);

    await unleash.revive();
    for (const runtime of [before, fromBackup, fromBootstrap]) {
      await eventually(() => {
        expect(runtime.flags.origin).toBe('unleash');
      });
      expect(booted(runtime)).toEqual(['directory', 'beacon', 'probe']);
    }
  }, 60_000);
});

describe('processes at a real Unleash server', () => {
  const processes: GatedProcess[] = [];
  let first: GatedProcess;
  let control: SettableControl;
  beforeAll(async () => {
    control = new SettableControl(databases.controlUrl);
    first = await GatedProcess.start('api', environment('processes'));
    processes.push(first);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(processes.map((one) => one.stop()));
    await control.close();
  });

  /** Flips the override of the flag and answers how long each process went on regardless. */
  async function delays(flag: string, flips: number): Promise<number[]> {
    const all: number[] = [];
    for (let flip = 0; flip < flips; flip += 1) {
      const off = processes.map((one) => one.next(flag, 'off'));
      const began = now();
      await control.kill(flag);
      all.push(...(await Promise.all(off)).map((at) => at - began));
      const on = processes.map((one) => one.next(flag, 'on'));
      await control.lift(flag);
      await Promise.all(on);
    }
    return all;
  }

  it('lose a module within a second and a half and have it again, and nobody else fails meanwhile', async () => {
    const crowd = new Crowd(`${first.url}/api/beacon`, 50);
    const refused: number[] = [];
    const gone: number[] = [];
    const back: number[] = [];
    for (let flip = 0; flip < 10; flip += 1) {
      let began = performance.now();
      await unleash.admin.set('enable_probe', false);
      await eventually(async () => {
        expect(await first.status('/api/probe')).toBe(404);
      }, 10_000);
      refused.push(performance.now() - began);
      await eventually(async () => {
        expect(await first.paths()).not.toContain('/api/probe');
      }, 10_000);
      gone.push(performance.now() - began);

      began = performance.now();
      await unleash.admin.set('enable_probe', true);
      await eventually(async () => {
        expect(await first.status('/api/probe')).toBe(200);
      }, 10_000);
      back.push(performance.now() - began);
    }
    await crowd.leave();
    const figures = { refused: summary(refused), gone: summary(gone), back: summary(back) };
    console.info('20 flips in Unleash: off to 404, off to gone from /docs-json, on to 200, ms:', figures, {
      connections: crowd.size,
      requests: crowd.requests,
      failures: crowd.failures.length,
      slowestMs: Math.round(crowd.slowestMs),
    });
    expect(crowd.failures).toEqual([]);
    expect(crowd.requests).toBeGreaterThan(1_000);
    expect(await first.paths()).toContain('/api/probe');
    expect(judged(figures.refused, 'max')).toBeLessThan(1_500);
    expect(judged(figures.gone, 'max')).toBeLessThan(3_000);
    expect(judged(figures.back, 'max')).toBeLessThan(3_000);
  }, 90_000);

  it('stop the schedules and consumers of a module within three seconds, and start them again', async () => {
    const application = new SettableControl(databases.databaseUrl);
    await application.rows(probeSql);
    const worker = await GatedProcess.start('worker', environment('processes'));
    const traces = async (what: string, since: number) => {
      const sql = `SELECT FROM public.probe_trace WHERE what = $1 AND at > to_timestamp($2)`;
      return (await application.rows(sql, [what, since / 1_000])).length;
    };
    const comes = (what: string, since: number) =>
      eventually(async () => {
        expect(await traces(what, since)).toBeGreaterThan(0);
      }, 5_000);
    await comes('tick', 0);

    const off = now();
    await unleash.admin.set('enable_probe', false);
    await sleep(3_000 - (now() - off));
    expect(await first.status('/api/beacon', { method: 'POST' })).toBe(200);
    await sleep(2_000);
    expect(await traces('tick', off + 3_000)).toBe(0);
    expect(await traces('beacon.lit', off)).toBe(0);

    const on = now();
    await unleash.admin.set('enable_probe', true);
    const [schedule, consumer] = await Promise.all([comes('tick', on), comes('beacon.lit', on)]);
    console.info('on in Unleash to the first slot and fact in a worker, ms:', { schedule, consumer });
    expect(judged(summary([schedule, consumer]), 'max')).toBeLessThan(3_000);
    await worker.stop();
    await application.close();
  }, 60_000);

  it('refuse what was killed within a tenth of a second, all four of them', async () => {
    processes.push(...(await Promise.all([1, 2, 3].map(() => GatedProcess.start('api', environment('processes'))))));
    const feature = summary(await delays('probe_export', 200));
    const module = summary(await delays('enable_probe', 5));
    console.info('kill to refused in 4 processes, ms:', { feature, module });
    expect(judged(feature, 'p99')).toBeLessThanOrEqual(100);
    // Five flips have no 99th percentile.
    expect(module.p50).toBeLessThanOrEqual(100);

    const off = processes.map((one) => one.next('probe_export', 'off'));
    const seq = await control.kill('probe_export');
    await Promise.all(off);
    for (const one of processes) expect(await one.status('/api/probe/exports')).toBe(404);
    await eventually(async () => {
      const rows = await control.rows<{ applied_seq: string }>(`SELECT applied_seq FROM control.process`);
      expect(rows.map(({ applied_seq }) => BigInt(applied_seq))).toEqual(processes.map(() => seq));
    });
    const on = processes.map((one) => one.next('probe_export', 'on'));
    await control.lift('probe_export');
    await Promise.all(on);
  }, 60_000);

  it('refuse it within a second when nobody tells them', async () => {
    await control.rows(`ALTER TABLE control.flag_override DISABLE TRIGGER flag_override_announce`);
    const untold = summary(await delays('probe_export', 3));
    await control.rows(`ALTER TABLE control.flag_override ENABLE TRIGGER flag_override_announce`);
    console.info('kill to refused in 4 processes without NOTIFY, ms:', untold);
    expect(judged(untold, 'max')).toBeLessThan(1_100);
  }, 30_000);

  it('refuse it as fast while Unleash is dead', async () => {
    await unleash.kill();
    const dead = summary(await delays('probe_export', 50));
    console.info('kill to refused in 4 processes without Unleash, ms:', dead);
    expect(judged(dead, 'p99')).toBeLessThanOrEqual(100);
    for (const one of processes) expect(await one.status('/api/probe')).toBe(200);
  }, 30_000);
});
