import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { notes, notesSchema, noteView, type NoteView } from '../support/domains/notes.js';
import { TestApi } from '../support/test-api.js';

describe('a thing with versions', () => {
  let nobody: TestApi;
  let api: TestApi;
  let note: NoteView;
  const rename = (title: string, headers: Record<string, string>, status: number) =>
    api.withHeaders(headers).patch(`/api/notes/${note.id}`, { title }, status);

  beforeAll(async () => {
    nobody = await TestApi.start({ sql: notesSchema }, notes);
    api = await nobody.as('notes.note:write');
    note = await api.post('/api/notes', { title: 'one' }, 201, noteView);
  });
  afterAll(() => nobody.close());

  it('is answered with its version as ETag', async () => {
    expect((await api.send('GET', `/api/notes/${note.id}`)).headers.etag).toBe('"1"');
    expect((await api.send('GET', '/api/notes')).headers.etag).toBeUndefined();
  });

  it('is changed only by those who say which version they mean', async () => {
    expect(await rename('two', {}, 428)).toMatchObject({ code: 'precondition-required' });
    for (const tag of ['1', '"one"', '*', '"1", "2"', '""', '"12345678901234567890"']) {
      expect(await rename('two', { 'if-match': tag }, 400)).toMatchObject({
        code: 'malformed-header',
        header: 'If-Match',
      });
    }
  });

  it('is changed once by two who mean the same version, and the other learns the newer one', async () => {
    const answers = await Promise.all(
      ['two', 'three'].map((title) => api.send('PATCH', `/api/notes/${note.id}`, { title }, { 'if-match': '"1"' })),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 412]);
    const refused = answers.find(({ statusCode }) => statusCode === 412);
    expect(refused?.json()).toMatchObject({ code: 'precondition-failed', rowVersion: 2 });
    expect((await api.send('GET', `/api/notes/${note.id}`)).headers.etag).toBe('"2"');
    await rename('four', { 'if-match': 'W/"2"' }, 200);
  });
});
