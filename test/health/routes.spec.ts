import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { watch, type Watch } from './watched.js';

describe('the health of the API', () => {
  let watching: Watch;
  beforeAll(async () => {
    watching = await watch();
  });
  afterAll(() => watching[Symbol.asyncDispose]());

  it('is told to everybody at the root', async () => {
    expect((await watching.get('/health/live')).json()).toMatchObject({ status: 'up' });
    await eventually(async () => {
      expect((await watching.get('/health/ready')).json()).toMatchObject({ ready: true });
    }, 10_000);
  });

  it('is a problem that names each check when it is not ready', async () => {
    await watching.runtime.control.query(`UPDATE public.control_migrations SET state = 'parked'`);
    const answer = await watching.get('/health/ready');
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.json()).toMatchObject({
      code: 'not-ready',
      ready: false,
      checks: expect.arrayContaining([
        { name: 'application-database', ok: true, detail: 'answers' },
        { name: 'control-migrations', ok: false, detail: expect.stringMatching(/^not applied: control\//) },
      ]),
    });
    await watching.runtime.control.query(`UPDATE public.control_migrations SET state = 'applied'`);
    expect((await watching.get('/health/ready')).statusCode).toBe(200);
  });

  it('has every domain and each layer’s word, and neither who nor why', async () => {
    const kill = `SELECT control.override_flag('live', 'enable_watched', true, 'a bad release', 'maria')`;
    await watching.runtime.control.query(kill);
    await watching.runtime.overlay.refresh();
    const answer = await watching.get('/health/domains');
    expect(answer.json()).toMatchObject({
      writesAllowed: true,
      overlay: { seq: '1', failSafe: false },
      domains: [
        { name: 'directory', mode: 'on', verdict: null },
        { name: 'watched', mode: 'off', verdict: { flag: 'enable_watched', killed: true, parentsOff: [] } },
      ],
    });
    expect(answer.body).not.toMatch(/maria|bad release/);
  });
});
