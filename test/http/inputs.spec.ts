import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { notes, notesSchema, noteView } from '../support/domains/notes.js';
import { TestApi } from '../support/test-api.js';

const invalid = z.object({
  code: z.literal('invalid-request'),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })),
});

describe('what a request brings', () => {
  let nobody: TestApi;
  let api: TestApi;
  const pointers = async (path: string, body?: object) => {
    const { errors } = body ? await api.post(path, body, 422, invalid) : await api.get(path, 422, invalid);
    return errors.map(({ pointer }) => pointer);
  };

  beforeAll(async () => {
    nobody = await TestApi.start({ sql: notesSchema, config: { BODY_LIMIT_BYTES: 4_096 } }, notes);
    api = await nobody.as('notes.note:write');
  });
  afterAll(() => nobody.close());

  it('is taken when it fits the schema, with defaults filled in', async () => {
    const note = await api.post('/api/notes', { title: '  Seal check ' }, 201, noteView);
    expect(note).toMatchObject({ title: 'Seal check', quantity: 0, rowVersion: 1 });
  });

  it('is refused with a pointer to every value that is wrong', async () => {
    expect(await pointers('/api/notes', { title: '', quantity: -1, tags: [{ name: 'a' }, { name: '' }] })).toEqual([
      '#/title',
      '#/quantity',
      '#/tags/1/name',
    ]);
    expect(await pointers('/api/notes', [])).toEqual(['#']);
  });

  it('is refused with the keys that nobody knows, also inside, escaped as JSON pointers are', async () => {
    expect(await pointers('/api/notes', { title: 'a', colour: 1, 'a/b~c': 2 })).toEqual(['#/colour', '#/a~1b~0c']);
    expect(await pointers('/api/notes', { title: 'a', tags: [{ name: 'a', size: 1 }] })).toEqual(['#/tags/0/size']);
  });

  it('names the query parameter or the part of the path', async () => {
    expect(await pointers('/api/notes?limit=0')).toEqual(['?limit']);
    expect(await pointers('/api/notes?limit=1&limit=2')).toEqual(['?limit']);
    expect(await pointers('/api/notes?limt=1')).toEqual(['?limt']);
    expect(await pointers('/api/notes/17')).toEqual([':id']);
  });

  it('has at most 100 errors told', async () => {
    const body = Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`k${n}`, 1]));
    expect(await pointers('/api/notes', body)).toHaveLength(100);
  });

  it.each([
    ['a NUL character in a value', '{"title":"a\\u0000b"}', '#/title'],
    ['a NUL character in a key', '{"title":"a","more":{"a\\u0000":1}}', '#/more'],
    ['half a surrogate pair', '{"title":"a\\ud800"}', '#/title'],
    ['half a surrogate pair deep inside', '{"title":"a","more":{"x":[{"y":"\\udfff"}]}}', '#/more/x/0/y'],
  ])('is refused with %s', async (_name, body, pointer) => {
    const response = await api.send('POST', '/api/notes', body);
    expect(response.statusCode).toBe(422);
    expect(invalid.parse(response.json()).errors).toEqual([expect.objectContaining({ pointer })]);
  });

  it('may hold whole surrogate pairs and backslashes before u0000', async () => {
    const note = await api.post('/api/notes', { title: '\u{1F600} \\u0000' }, 201, noteView);
    expect(note.title).toBe('\u{1F600} \\u0000');
  });

  it.each([
    ['a NUL character in the query', '/api/notes?title=%00'],
    ['a NUL character among two values', '/api/notes?title=a&title=%00'],
    ['a NUL character in the path', '/api/notes/%00'],
    [
      'a NUL character in a cursor',
      `/api/notes?cursor=${Buffer.from('["\\u0000","019a0000-0000-7000-8000-000000000001"]').toString('base64url')}`,
    ],
  ])('is refused with %s', async (_name, path) => {
    await api.get(path, 422, invalid);
  });

  it.each([
    ['1e400', 422],
    ['9007199254740993', 422],
    ['-1', 422],
    ['1.5', 422],
    ['"1"', 422],
    ['2147483647', 201],
  ])('with the quantity %s is answered with %i', async (quantity, status) => {
    const response = await api.send('POST', '/api/notes', `{"title":"a","quantity":${quantity}}`);
    expect(response.statusCode).toBe(status);
  });

  it('that the contract lets pass and the database cannot store is the fault of the request, not a failure', async () => {
    const answer = await api.post('/api/notes', { title: 'a', quantity: 2_147_483_648 }, 422);
    expect(answer).toMatchObject({ code: 'value-out-of-range' });
  });

  it.each([
    [64, 201],
    [65, 422],
  ])('nested %i levels deep is answered with %i', async (levels, status) => {
    const body = `{"title":"a","more":${'{"a":'.repeat(levels - 1)}1${'}'.repeat(levels - 1)}}`;
    const response = await api.send('POST', '/api/notes', body);
    expect(response.statusCode).toBe(status);
  });

  it('nested absurdly deep is refused as well', async () => {
    const response = await api.send('POST', '/api/notes', `${'['.repeat(2_000)}${']'.repeat(2_000)}`);
    expect(response.statusCode).toBe(422);
  });

  it.each([
    '{"title":',
    '{"title":"a"}}',
    '{"__proto__":{"admin":true},"title":"a"}',
    '{"constructor":{"prototype":{}},"title":"a"}',
    "{'title':1}",
  ])('that is %s is refused as malformed', async (body) => {
    const response = await api.send('POST', '/api/notes', body);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: 'malformed-json', status: 400 });
  });

  it('whatever it is, is taken or refused and never a failure of ours', async () => {
    const value = fc.jsonValue({ maxDepth: 4, noUnicodeString: false });
    const body = fc.oneof(
      fc
        .record({ title: value, quantity: value, tags: value, more: value }, { requiredKeys: [] })
        .map((one) => JSON.stringify(one)),
      value.map((one) => JSON.stringify(one)),
      fc.string({ unit: 'binary', maxLength: 200 }),
    );
    const piece = fc.string({ unit: 'binary', maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(body, piece, piece, async (json, path, query) => {
        const answers = [
          await api.send('POST', '/api/notes', json),
          await api.send('GET', `/api/notes/${encodeURIComponent(path.toWellFormed())}`),
          await api.send(
            'GET',
            `/api/notes?cursor=${encodeURIComponent(query.toWellFormed())}&title=${encodeURIComponent(path.toWellFormed())}`,
          ),
        ];
        expect(answers.filter(({ statusCode }) => statusCode >= 500).map(({ body: text }) => text)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('may be empty where no body is needed, and is missed where one is', async () => {
    expect((await nobody.send('POST', '/api/notes/open', '')).statusCode).toBe(204);
    expect((await api.send('POST', '/api/notes', '')).statusCode).toBe(422);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'as %s is not taken',
    async (type) => {
      const response = await api.send('POST', '/api/notes', 'title=a', { 'content-type': type });
      expect(response.json()).toMatchObject({ status: 415, code: 'unsupported-media-type' });
    },
  );

  it('is taken up to the body limit and not a byte further', async () => {
    const body = (bytes: number) => `{"title":"a"${' '.repeat(bytes - 13)}}`;
    expect((await api.send('POST', '/api/notes', body(4_096))).statusCode).toBe(201);
    const response = await api.send('POST', '/api/notes', body(4_097));
    expect(response.json()).toMatchObject({ status: 413, code: 'body-too-large', limit: 4_096 });
  });
});
