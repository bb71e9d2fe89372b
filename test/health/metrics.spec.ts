import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RequestFigureLog } from '../../libs/platform/src/metrics/request-figure-log.js';
import { eventually } from '../support/eventually.js';
import { watch, type Watch } from './watched.js';

/** The samples of one metric, without the buckets of a histogram. */
async function samples(of: Watch, name: string): Promise<string[]> {
  const text = await of.runtime.metrics.getSingleMetricAsString(name);
  return text
    .split('\n')
    .filter((line) => !line.startsWith('#') && !line.includes('_bucket') && !line.includes('_sum'));
}

const requests = 'http_request_duration_seconds';

describe('the metrics', () => {
  let watching: Watch;
  beforeAll(async () => {
    watching = await watch();
  });
  afterAll(() => watching[Symbol.asyncDispose]());

  it('count requests by method, route, class of status and domain, and never by what was sent', async () => {
    for (const id of ['a', 'b', 'c']) await watching.get(`/api/watched/things/${id}?ms=0`);
    await watching.get('/api/watched/failures');
    await watching.get('/api/no-such-place/17');
    await watching.get('/health/live');
    const labels = (method: string, route: string, status: string, domain: string) =>
      `${requests}_count{method="${method}",route="${route}",status="${status}",domain="${domain}"}`;
    expect(await samples(watching, requests)).toEqual([
      `${labels('GET', '/api/watched/things/:id', '2xx', 'watched')} 3`,
      `${labels('GET', '/api/watched/failures', '5xx', 'watched')} 1`,
      `${labels('GET', 'none', '4xx', 'platform')} 1`,
      `${labels('GET', '/health/live', '2xx', 'platform')} 1`,
    ]);
  });

  it('are written down by module and minute, adding up, and forgotten after two weeks', async () => {
    const { control: pool, log, processId, metrics } = watching.runtime;
    const figures = new RequestFigureLog({ figures: metrics.requests, pool, log, processId });
    await figures.write();
    await pool.query(`DELETE FROM control.request_figure`);
    await pool.query(
      `INSERT INTO control.request_figure SELECT now() - past, 'old', $1, 1, 0, '{1}'
       FROM unnest('{13 days 23 hours, 14 days 1 hour}'::interval[]) AS past`,
      [processId],
    );
    await watching.get('/api/watched/things/a?ms=0');
    await watching.get('/api/watched/failures');
    await figures.write();
    await watching.get('/api/watched/things/slow?ms=60');
    await figures.write();
    const { rows } = await pool.query(
      `SELECT domain, sum(requests)::int AS requests, sum(errors)::int AS errors,
              sum((SELECT sum(slot) FROM unnest(slots) AS slot))::int AS timed, sum(slots[6]) >= 1 AS slow
       FROM control.request_figure GROUP BY domain ORDER BY domain`,
    );
    expect(rows).toEqual([
      { domain: 'old', requests: 1, errors: 0, timed: 1, slow: null },
      { domain: 'watched', requests: 3, errors: 1, timed: 3, slow: true },
    ]);
  });

  it('leave streams out, which last as long as somebody listens', async () => {
    await watching.get('/api/watched/events');
    expect((await samples(watching, requests)).join()).not.toContain('/api/watched/events');
  });

  it('have how long requests took', async () => {
    const within = async (le: string) => {
      const text = await watching.runtime.metrics.getSingleMetricAsString(requests);
      const sample = `_bucket{le="${le}",method="GET",route="/api/watched/things/:id"`;
      return Number(/ (\d+)$/.exec(text.split('\n').find((line) => line.includes(sample)) ?? '')?.[1]);
    };
    const before = [await within('0.05'), await within('+Inf')];
    await watching.get('/api/watched/things/slow?ms=60');
    expect([await within('0.05'), await within('+Inf')]).toEqual([before[0], Number(before[1]) + 1]);
  });

  it('have the mode of each flag and the override that is in force', async () => {
    expect(await samples(watching, 'belay_flag_mode')).toEqual([
      'belay_flag_mode{flag="enable_watched",mode="on"} 1',
      'belay_flag_mode{flag="enable_watched",mode="drain"} 0',
      'belay_flag_mode{flag="enable_watched",mode="read_only"} 0',
      'belay_flag_mode{flag="enable_watched",mode="off"} 0',
    ]);
    expect(await samples(watching, 'belay_overlay_seq')).toEqual(['belay_overlay_seq 0']);
    await watching.runtime.control.query(
      `SELECT control.override_flag('live', 'enable_watched', true, 'test', 'test')`,
    );
    await eventually(async () => {
      expect(await samples(watching, 'belay_flag_mode')).toContain(
        'belay_flag_mode{flag="enable_watched",mode="off"} 1',
      );
      expect(await samples(watching, 'belay_overlay_seq')).toEqual(['belay_overlay_seq 1']);
    });
    await watching.runtime.control.query(
      `SELECT control.override_flag('live', 'enable_watched', false, 'test', 'test')`,
    );
    await eventually(async () => {
      expect(await samples(watching, 'belay_flag_mode')).toContain(
        'belay_flag_mode{flag="enable_watched",mode="on"} 1',
      );
    });
  });

  it('have the process, its event loop and its build', async () => {
    const text = await watching.runtime.metrics.metrics();
    for (const name of [
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_heap_size_used_bytes',
    ]) {
      expect(text).toContain(`\n${name} `);
    }
    expect(text).toContain(`belay_build_info{role="api",sha="development",node="${process.version}"} 1`);
  });

  it('outlive the application that made them, and have the connections of both while two overlap', async () => {
    await using own = await watch();
    const total = async () =>
      Number(/application",state="total"\} (\d+)/.exec((await samples(own, 'belay_pool_connections')).join())?.[1]);
    await own.get('/api/watched/things/a');
    const alone = await total();
    const second = await own.compose();
    expect(await total()).toBeGreaterThan(alone);
    await own.get('/api/watched/things/a');
    expect((await samples(own, requests)).join()).toMatch(/things\/:id.* 2$/);
    await second.close();
    expect(await total()).toBe(alone);
    expect((await samples(own, requests)).join()).toMatch(/things\/:id.* 2$/);
  });
});

describe('reading the metrics', () => {
  const token = 'prometheus-reads-this';
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

  it('is for this machine as long as no token is set', async () => {
    await using open = await watch();
    const answer = await open.get('/metrics');
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toContain('text/plain; version=0.0.4');
    expect(answer.body).toContain('# TYPE belay_flag_mode gauge');
    const elsewhere = await (await open.compose()).inject({ url: '/metrics', remoteAddress: '10.0.0.7' });
    expect([elsewhere.statusCode, elsewhere.json()]).toMatchObject([403, { code: 'metrics-closed' }]);
  });

  it('is for nobody in production as long as no token is set', async () => {
    await using closed = await watch({ NODE_ENV: 'production' });
    expect((await closed.get('/metrics')).json()).toMatchObject({ status: 403, code: 'metrics-closed' });
  });

  it('is for whoever has the token, from everywhere', async () => {
    await using guarded = await watch({ NODE_ENV: 'production', METRICS_TOKEN: token });
    expect((await guarded.get('/metrics', bearer(token))).statusCode).toBe(200);
    expect((await guarded.get('/metrics')).json()).toMatchObject({ status: 401, code: 'sign-in-required' });
    for (const wrong of [`${token}x`, token.slice(1), '']) {
      expect((await guarded.get('/metrics', bearer(wrong))).json()).toMatchObject({
        status: 401,
        code: 'token-refused',
      });
    }
  });
});
