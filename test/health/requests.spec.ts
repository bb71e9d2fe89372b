import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { watch, type Watch } from './watched.js';

const id = { 'x-request-id': 'request-17' };

describe.each(['info', 'debug'] as const)('the log of requests at %s', (level) => {
  let watching: Watch;
  let before = 0;
  beforeAll(async () => {
    watching = await watch({ LOG_LEVEL: level });
  });
  afterAll(() => watching[Symbol.asyncDispose]());
  beforeEach(() => {
    before = watching.lines.length;
  });
  const lines = () => watching.lines.slice(before);

  it('has of a quick one nothing but, at debug, one line', async () => {
    await watching.get('/api/watched/things/a?token=hunter2', id);
    const line = { level: 'debug', msg: 'request', requestId: 'request-17', method: 'GET', status: 204 };
    const where = { path: '/api/watched/things/a', route: '/api/watched/things/:id', domain: 'watched' };
    expect(lines()).toMatchObject(level === 'info' ? [] : [{ ...line, ...where }]);
    expect(JSON.stringify(lines())).not.toContain('hunter2');
  });

  it('warns of one that took more than a second', async () => {
    await watching.get('/api/watched/things/a?ms=980', id);
    expect(lines().filter((line) => line['level'] === 'warn')).toEqual([]);
    await watching.get('/api/watched/things/a?ms=1020', id);
    expect(lines().filter((line) => line['level'] === 'warn')).toMatchObject([
      { msg: 'slow request', requestId: 'request-17', route: '/api/watched/things/:id', status: 204 },
    ]);
  });

  it('does not take a stream for a slow request', async () => {
    await watching.get('/api/watched/events', id);
    expect(lines().filter((line) => line['level'] === 'warn')).toEqual([]);
  });

  it('has the error of one that failed', async () => {
    await watching.get('/api/watched/failures', id);
    expect(lines().filter((line) => line['level'] === 'error')).toMatchObject([
      { msg: 'request failed', requestId: 'request-17', status: 500, err: { message: 'out of order' } },
    ]);
  });

  it('has the request in whatever is logged meanwhile, also when many are worked on at once', async () => {
    const words = Array.from({ length: 20 }, (_, index) => `word-${index}`);
    await Promise.all(
      words.map((word) => watching.post('/api/watched/words', { word }, { 'x-request-id': `request-${word}` })),
    );
    const said = lines().filter((line) => line['msg'] === 'said');
    expect(said.map((line) => line['requestId'])).toEqual(said.map((line) => `request-${String(line['word'])}`));
    expect(said).toHaveLength(words.length);
  });
});
