import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { notes, notesSchema } from '../support/domains/notes.js';
import { TestApi } from '../support/test-api.js';

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('the headers', () => {
  let nobody: TestApi;
  let api: TestApi;
  const who = (headers: Record<string, string>) => api.send('GET', '/api/notes/mine', undefined, headers);

  beforeAll(async () => {
    nobody = await TestApi.start({ sql: notesSchema, config: { CORS_ORIGINS: ['https://ops.example'] } }, notes);
    api = await nobody.as();
  });
  afterAll(() => nobody.close());

  it.each(['request-17', 'a'.repeat(8), 'Z'.repeat(128), '0.1_2-3.4'])('keep the request id %s', async (id) => {
    const response = await who({ 'x-request-id': id });
    expect(response.headers['x-request-id']).toBe(id);
    expect(response.json()).toMatchObject({ requestId: id });
  });

  it.each(['a'.repeat(7), 'a'.repeat(129), 'has space', '{"a":1}', 'ünicode-id'])(
    'replace the request id %s',
    async (id) => {
      const response = await who({ 'x-request-id': id });
      expect(response.headers['x-request-id']).toMatch(uuidV7);
      expect(response.json()).toMatchObject({ requestId: response.headers['x-request-id'] });
    },
  );

  it('carry the request id on failures too', async () => {
    const response = await api.send('GET', '/nothing', undefined, { 'x-request-id': 'request-404' });
    expect(response.headers['x-request-id']).toBe('request-404');
  });

  it('take a reason in any language, up to 500 characters', async () => {
    const reason = (text: string) => Buffer.from(text).toString('latin1');
    expect((await who({ 'x-reason': reason('Ware beschädigt 不良') })).json()).toMatchObject({
      reason: 'Ware beschädigt 不良',
    });
    expect((await who({ 'x-reason': 'a'.repeat(500) })).statusCode).toBe(200);
    expect((await who({ 'x-reason': 'a'.repeat(501) })).json()).toMatchObject({
      status: 400,
      code: 'malformed-header',
    });
  });

  it('forbid browsers to guess the type of data, to frame it, to keep it and to run anything of it', async () => {
    const { headers } = await who({});
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    });
    expect(headers['strict-transport-security']).toBeDefined();
    expect(headers['x-powered-by']).toBeUndefined();
  });

  it('give pages the whole set', async () => {
    const { headers } = await nobody.app.inject('/docs');
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'SAMEORIGIN' });
    expect(headers['content-security-policy']).toContain("script-src 'self'");
    expect(headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
  });

  it('let the origins on the list call, and no others', async () => {
    expect((await who({ origin: 'https://ops.example' })).headers['access-control-allow-origin']).toBe(
      'https://ops.example',
    );
    expect((await who({ origin: 'https://evil.example' })).headers['access-control-allow-origin']).toBeUndefined();
    const preflight = await nobody.app.inject({
      method: 'OPTIONS',
      url: '/api/notes',
      headers: {
        origin: 'https://ops.example',
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'if-match',
      },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers['access-control-allow-methods']).toContain('PATCH');
  });
});
