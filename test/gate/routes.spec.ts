import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { z } from 'zod';
import { beacon } from '../support/domains/beacon.js';
import { gauge } from '../support/domains/gauge.js';
import { probe } from '../support/domains/probe.js';
import { eventually } from '../support/eventually.js';
import { TestApi } from '../support/test-api.js';
import { FlagsFile } from './flags-file.js';
import { SettableControl } from './settable-control.js';

const domains = [directory, beacon, probe, gauge];
const all = ['enable_beacon', 'enable_probe', 'probe_export', 'probe_preview', 'enable_gauge'];

/** Status and, when refused, the slug. */
async function outcome(api: TestApi, method: 'GET' | 'POST', path: string, body?: object): Promise<string> {
  const response = await api.send(method, path, body);
  const problem = z.object({ code: z.string() }).safeParse(response.json());
  return `${response.statusCode} ${problem.data?.code ?? ''}`;
}

describe('a request at the gate', () => {
  let flags: FlagsFile;
  let api: TestApi;
  let control: SettableControl;
  beforeAll(async () => {
    flags = new FlagsFile(domains, all);
    api = await TestApi.start(
      { config: { FLAGS_FILE: flags.path, ANONYMOUS_RATE_LIMIT_PER_MINUTE: 100_000 } },
      beacon,
      probe,
      gauge,
    );
    control = new SettableControl(api.config.CONTROL_DATABASE_URL);
  });
  afterAll(async () => {
    await control.close();
    await api.close();
    flags.remove();
  });
  beforeEach(async () => {
    await control.liftAll();
    for (const flag of all) flags.set(flag, { enabled: true, variants: [] });
    await answers('GET', '/api/gauge', '200 ');
    await answers('POST', '/api/probe', '201 ');
    await answers('POST', '/api/probe/exports', '201 ');
    await answers('GET', '/api/probe/preview', '200 ');
  });

  async function answers(method: 'GET' | 'POST', path: string, expected: string): Promise<void> {
    await eventually(async () => {
      expect(await outcome(api, method, path)).toBe(expected);
    });
  }

  it('finds nothing of a module that is off, nor of those that come after it, and everything else', async () => {
    flags.off('enable_probe');
    flags.off('probe_preview');
    await answers('GET', '/api/probe', '404 module-off');
    await answers('POST', '/api/probe', '404 module-off');
    await answers('GET', '/api/probe/exports', '404 module-off');
    await answers('GET', '/api/gauge', '404 module-off');
    await answers('GET', '/api/beacon', '200 ');
  });

  it('is told so before it is asked who it is', async () => {
    expect(await outcome(api, 'GET', '/api/probe/mine')).toBe('401 sign-in-required');
    flags.off('enable_probe');
    await answers('GET', '/api/probe/mine', '404 module-off');
  });

  it('finds the rest of a module whose feature is off', async () => {
    flags.off('probe_export');
    await answers('GET', '/api/probe/exports', '404 feature-off');
    await answers('POST', '/api/probe/exports', '404 feature-off');
    await answers('GET', '/api/probe', '200 ');
  });

  it('finds what a preview keeps while the module is off, unless the module was killed', async () => {
    flags.off('enable_probe');
    await answers('GET', '/api/probe', '404 module-off');
    await answers('GET', '/api/probe/preview', '200 ');
    await answers('GET', '/api/probe/kept', '200 ');

    flags.off('probe_preview');
    await answers('GET', '/api/probe/preview', '404 module-off');
    await answers('GET', '/api/probe/kept', '404 module-off');

    flags.on('enable_probe');
    await answers('GET', '/api/probe/kept', '200 ');
    await answers('GET', '/api/probe/preview', '404 feature-off');

    flags.on('probe_preview');
    await answers('GET', '/api/probe/preview', '200 ');
    await control.kill('enable_probe');
    await answers('GET', '/api/probe/preview', '404 module-off');
  });

  it('may read and not write in mode read_only', async () => {
    flags.mode('enable_probe', 'read_only');
    await answers('POST', '/api/probe', '403 feature-read-only');
    await answers('POST', '/api/probe/end', '403 feature-read-only');
    await answers('POST', '/api/probe/exports', '403 feature-read-only');
    await answers('GET', '/api/probe', '200 ');
    await answers('GET', '/api/probe/exports', '200 ');
    await answers('GET', '/api/gauge', '200 ');
  });

  it('may end what is open and start nothing in mode drain', async () => {
    flags.mode('enable_probe', 'drain');
    await answers('POST', '/api/probe', '403 feature-draining');
    await answers('POST', '/api/probe/end', '200 ');
    await answers('GET', '/api/probe', '200 ');
  });

  it('meets the stricter of the modes of feature and module', async () => {
    flags.mode('probe_export', 'read_only');
    await answers('POST', '/api/probe/exports', '403 feature-read-only');
    await answers('POST', '/api/probe', '201 ');
    flags.mode('enable_probe', 'drain');
    await answers('POST', '/api/probe', '403 feature-draining');
    await answers('POST', '/api/probe/exports', '403 feature-read-only');
    flags.mode('probe_export', 'on');
    await answers('POST', '/api/probe/exports', '403 feature-draining');
  });

  it('takes a mode that nobody knows for on', async () => {
    flags.mode('enable_probe', 'read_only');
    await answers('POST', '/api/probe', '403 feature-read-only');
    flags.mode('enable_probe', 'off');
    await answers('POST', '/api/probe', '201 ');
  });

  it('may read but not write while all writes are stopped, and may still sign in', async () => {
    await control.kill('platform_writes');
    await answers('POST', '/api/beacon', '503 read-only');
    expect((await api.send('POST', '/api/beacon')).headers['retry-after']).toBe('30');
    expect(await outcome(api, 'GET', '/api/beacon')).toBe('200 ');
    expect(await outcome(api, 'POST', '/api/beacon/search')).toBe('200 ');
    const wrong = { username: 'nobody', password: 'not the password' };
    expect(await outcome(api, 'POST', '/api/auth/sign-in', wrong)).toMatch(/^401 /);
  });

  it('finds only the way back in an emergency', async () => {
    await control.kill('emergency_rollback');
    await answers('GET', '/api/probe', '404 module-off');
    await answers('GET', '/api/gauge', '404 module-off');
    expect(await outcome(api, 'GET', '/api/beacon')).toBe('200 ');
    await control.lift('emergency_rollback');
    await answers('GET', '/api/probe', '200 ');

    flags.on('emergency_rollback');
    await answers('GET', '/api/probe', '404 module-off');
    expect(await outcome(api, 'GET', '/api/beacon')).toBe('200 ');
    flags.off('emergency_rollback');
  });

  it('is let in once the turn of its user has come', async () => {
    flags.percent('enable_probe', 0);
    flags.percent('probe_export', 0);
    const [admin, member] = [await api.as('admin'), await api.as('operator')];
    await eventually(async () => {
      expect(await outcome(member, 'GET', '/api/probe/mine')).toBe('404 module-off');
    });
    expect(await outcome(member, 'GET', '/api/probe/exports/mine')).toBe('404 module-off');
    expect(await outcome(admin, 'GET', '/api/probe/mine')).toBe('200 ');
    expect(await outcome(admin, 'GET', '/api/probe/exports/mine')).toBe('200 ');
    // Nobody in particular has no unit: the old path.
    expect(await outcome(api, 'GET', '/api/probe')).toBe('404 module-off');
    expect(await outcome(api, 'GET', '/api/gauge')).toBe('404 module-off');
    expect(await outcome(api, 'GET', '/api/probe/mine')).toBe('401 sign-in-required');

    flags.percent('enable_probe', 100);
    await eventually(async () => {
      expect(await outcome(member, 'GET', '/api/probe/mine')).toBe('200 ');
    });
    expect(await outcome(member, 'GET', '/api/probe/exports/mine')).toBe('404 feature-off');
    const strategies = [{ name: 'default', parameters: {}, constraints: [] }];
    for (const flag of ['enable_probe', 'probe_export']) flags.set(flag, { strategies });
  });
});
