import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventStreams } from '@belay/platform';
import { ended, notes, notesSchema } from '../support/domains/notes.js';
import { TestApi } from '../support/test-api.js';

describe('a stream of events', () => {
  let nobody: TestApi;
  let api: TestApi;
  let url: string;
  beforeAll(async () => {
    nobody = await TestApi.start({ sql: notesSchema }, notes);
    api = await nobody.as('notes.note:write');
    await api.app.listen(0, '127.0.0.1');
    url = `${await api.app.getUrl()}/api/notes/events`;
  });
  afterAll(() => nobody.close());

  /** Reads until the text is there, then leaves; or until the stream ends. */
  async function read(until: string | undefined, headers: Record<string, string> = {}) {
    const leave = new AbortController();
    const response = await fetch(url, { headers: { ...api.headers, ...headers }, signal: leave.signal });
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (until !== undefined && text.includes(until)) break;
    }
    leave.abort();
    return { text, headers: response.headers };
  }

  it('has each event with an id, and says how soon to come back', async () => {
    const { text, headers } = await read('id: 3');
    expect(headers.get('content-type')).toBe('text/event-stream');
    expect(headers.get('cache-control')).toContain('no-transform');
    expect(text).toBe('retry: 1000\n\n' + [1, 2, 3].map((n) => `event: note\nid: ${n}\ndata: {"n":${n}}\n\n`).join(''));
  });

  it('goes on after the last event that the client has seen', async () => {
    const { text } = await read('id: 3', { 'last-event-id': '2' });
    expect(text).not.toContain('id: 2');
    expect(text).toContain('id: 3');
  });

  it('shows that it is alive while nothing happens', async () => {
    const { text } = await read(': still here\n\n: still here');
    expect(text).toContain('id: 3');
  });

  it('tells its source when the client leaves', async () => {
    await read('id: 3', { 'last-event-id': '1' });
    for (let tries = 0; !ended.includes('1') && tries < 50; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ended).toContain('1');
  });

  it('ends when the application is about to close, and so does one that is asked for then', async () => {
    const whole = read(undefined);
    await new Promise((resolve) => setTimeout(resolve, 150));
    api.app.get(EventStreams).end();
    expect((await whole).text).toContain('id: 3');
    expect((await read(undefined)).text).toBe('retry: 1000\n\n');
  });
});
