import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { noteList, notes, notesSchema } from '../support/domains/notes.js';
import { TestApi } from '../support/test-api.js';

describe('a list', () => {
  let nobody: TestApi;
  let api: TestApi;
  const read = (query: string) => api.get(`/api/notes?${query}`, 200, noteList);
  const add = (title: string) =>
    api.rows('INSERT INTO notes.note (id, title, quantity) VALUES ($1, $2, 0)', [randomUUIDv7(), title]);

  beforeAll(async () => {
    nobody = await TestApi.start({ sql: notesSchema }, notes);
    api = await nobody.as('notes.note:write');
    // Equal titles, so that pages end between rows that only their ids tell apart.
    for (let n = 0; n < 60; n++) await add(`title ${Math.floor(n / 7)}`);
  });
  afterAll(() => nobody.close());

  it('skips and repeats nothing while rows are inserted before and after the place where a page ends', async () => {
    const before = (await api.rows<{ id: string }>('SELECT id FROM notes.note ORDER BY title, id')).map(({ id }) => id);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { items, next } = await read(`limit=5${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...items.map(({ id }) => id));
      cursor = next;
      await add('title 0');
      await add(items.at(-1)?.title ?? '');
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => before.includes(id))).toEqual(before);
  });

  it('has 50 items unless said, and at most 200', async () => {
    expect((await read('')).items).toHaveLength(50);
    expect((await read('limit=1')).items).toHaveLength(1);
    await read('limit=200');
    await api.get('/api/notes?limit=201', 422);
  });

  it('takes no cursor that it did not give', async () => {
    const { next } = await read('limit=1');
    const cursors = [
      'x',
      `${next}x`,
      next?.slice(3),
      Buffer.from('["title"]').toString('base64url'),
      Buffer.from('[1,2]').toString('base64url'),
    ];
    for (const cursor of cursors) {
      expect(await api.get(`/api/notes?cursor=${cursor}`, 422)).toMatchObject({ errors: [{ pointer: '?cursor' }] });
    }
  });
});
