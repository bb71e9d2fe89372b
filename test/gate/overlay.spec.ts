import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { directory } from '@belay/directory';
import { readConfig, startRuntime } from '@belay/platform';
import { startApi, type RunningApi } from '../../apps/api/src/api.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { beacon } from '../support/domains/beacon.js';
import { gauge } from '../support/domains/gauge.js';
import { probe } from '../support/domains/probe.js';
import { eventually } from '../support/eventually.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { FlagsFile } from './flags-file.js';
import { SettableControl } from './settable-control.js';
import { judged, summary } from './summary.js';

const domains = [directory, beacon, probe, gauge];

describe('the kill overlay', () => {
  let databases: TestDatabases;
  let flags: FlagsFile;
  let control: SettableControl;
  let line: { proxy: TcpProxy; url: string };
  let api: RunningApi;
  let runtime: RunningApi['runtime'];
  beforeAll(async () => {
    databases = await createDatabases();
    line = await TcpProxy.before(databases.controlUrl);
    flags = new FlagsFile(domains, ['enable_probe', 'enable_gauge']);
    control = new SettableControl(databases.controlUrl);
    api = await startApi({ config: config(), domains });
    ({ runtime } = api);
  });
  afterAll(async () => {
    await api.close();
    await control.close();
    await line.proxy.close();
    await databases.drop();
    flags.remove();
  });

  const config = () => ({
    ...readConfig({
      DATABASE_URL: databases.databaseUrl,
      CONTROL_DATABASE_URL: line.url,
      SECRET_KEY: Buffer.alloc(32).toString('base64'),
      LOG_LEVEL: 'silent',
      PORT: '0',
      ANONYMOUS_RATE_LIMIT_PER_MINUTE: '1000000',
    }),
    FLAGS_FILE: flags.path,
  });

  const mode = (domain: string) => runtime.gate.domainMode(domain);
  const becomes = (expected: string, withinMs: number) =>
    eventually(() => {
      expect(mode('probe')).toBe(expected);
    }, withinMs);
  const status = async (path: string) => (await fetch(`${api.url}${path}`)).status;

  it('is acknowledged at once, by number', async () => {
    for (const flag of ['enable_probe', 'enable_gauge']) {
      const seq = await control.kill(flag);
      const acknowledged = await eventually(async () => {
        const [row] = await control.rows<{ applied_seq: string }>(
          `SELECT applied_seq FROM control.process WHERE id = $1`,
          [runtime.processId],
        );
        expect(BigInt(row?.applied_seq ?? 0)).toBe(seq);
      });
      expect(acknowledged).toBeLessThan(900);
      expect(await status(flag === 'enable_probe' ? '/api/probe' : '/api/gauge')).toBe(404);
      await control.lift(flag);
    }
    await becomes('on', 500);
  });

  it('is read every second when nobody tells of a change', async () => {
    await control.rows(`ALTER TABLE control.flag_override DISABLE TRIGGER flag_override_announce`);
    const delays: number[] = [];
    for (const off of [true, false, true, false]) {
      await (off ? control.kill('enable_probe') : control.lift('enable_probe'));
      delays.push(await becomes(off ? 'off' : 'on', 3_000));
    }
    await control.rows(`ALTER TABLE control.flag_override ENABLE TRIGGER flag_override_announce`);
    expect(judged(summary(delays), 'max')).toBeLessThan(1_100);
  });

  it('is read again when the connection that listens has been lost', async () => {
    await control.rows(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'belay-overlay-listener'`,
    );
    await eventually(() => {
      expect(runtime.overlay.listening).toBe(false);
    });
    await eventually(() => {
      expect(runtime.overlay.listening).toBe(true);
    });
    await control.kill('enable_probe');
    await becomes('off', 2_000);
    await control.lift('enable_probe');
    await becomes('on', 1_000);
  });

  it('is read over new connections when the old ones carry nothing any more', async () => {
    line.proxy.strand();
    await control.kill('enable_probe');
    expect(await becomes('off', 8_000)).toBeLessThan(5_000);
    await control.lift('enable_probe');
    await becomes('on', 3_000);
    await eventually(async () => {
      const [row] = await control.rows<{ fresh: boolean }>(
        `SELECT at > clock_timestamp() - interval '1 second' AS fresh FROM control.process WHERE id = $1`,
        [runtime.processId],
      );
      expect(row?.fresh).toBe(true);
    }, 5_000);
  });

  it('knows nothing of other scopes', async () => {
    const [row] = await control.rows<{ seq: string }>(
      `SELECT control.override_flag('drill-7', 'enable_probe', true, 'test', 'test') AS seq`,
    );
    await eventually(() => {
      expect(runtime.overlay.seq).toBe(BigInt(row?.seq ?? 0));
    });
    expect(mode('probe')).toBe('on');
  });

  it('switches gated modules off when it could not be read for ten seconds, and on again when it can', async () => {
    line.proxy.hang();
    const began = performance.now();
    await sleep(1_000);
    const slowest: number[] = [];
    for (let n = 0; n < 50; n += 1) {
      const asked = performance.now();
      expect(await status('/api/probe')).toBe(200);
      slowest.push(performance.now() - asked);
    }
    expect(Math.max(...slowest)).toBeLessThan(500);
    await sleep(8_000 - (performance.now() - began));
    expect(mode('probe')).toBe('on');

    await becomes('off', 5_000);
    const after = performance.now() - began;
    expect(after).toBeGreaterThan(8_900);
    expect(after).toBeLessThan(11_000);
    expect(runtime.gate.explain('enable_probe')).toMatchObject({ failSafe: true, killed: false, source: { on: true } });
    expect(mode('directory')).toBe('on');
    expect(await status('/api/probe')).toBe(404);

    line.proxy.pass();
    expect(await becomes('on', 8_000)).toBeLessThan(4_000);
    await eventually(async () => {
      expect(await status('/api/gauge')).toBe(200);
    });
  });

  it('has gated modules off from the start while it cannot be read, and nothing else', async () => {
    line.proxy.refuse();
    const other = await startRuntime('api', domains, config());
    expect(other.gate.enabled().map(({ name }) => name)).toEqual(['directory']);
    expect(other.overlay.readAt).toBeUndefined();
    line.proxy.pass();
    await eventually(() => {
      expect(other.gate.enabled()).toHaveLength(4);
    }, 5_000);
    await other.close();
  });
});
