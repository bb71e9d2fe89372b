import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { newAccount } from '../support/people.js';
import { TestApi } from '../support/test-api.js';

describe('must never happen: an unmasked name in a log', () => {
  let api: TestApi;
  let admin: TestApi;
  let child: ChildProcess;
  let url: string;
  let log = '';

  const ask = async (by: TestApi, method: string, path: string, body?: object) => {
    const headers = { ...by.headers, 'content-type': 'application/json', 'if-match': '"1"' };
    const response = await fetch(`${url}${path}`, { method, headers, body: body ? JSON.stringify(body) : null });
    await response.body?.cancel();
    return response.status;
  };

  beforeAll(async () => {
    api = await TestApi.with();
    admin = await api.as('admin');
    const { DATABASE_URL, CONTROL_DATABASE_URL, SECRET_KEY, FLAGS_FILE } = api.config;
    child = fork(fileURLToPath(new URL('../support/processes/api.ts', import.meta.url)), {
      execArgv: ['--import', new URL('../support/ts-loader.mjs', import.meta.url).href],
      env: {
        NODE_ENV: 'test',
        LOG_LEVEL: 'trace',
        PORT: '0',
        DATABASE_URL,
        CONTROL_DATABASE_URL,
        SECRET_KEY,
        FLAGS_FILE,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const said: unknown[] = await once(child, 'message');
    url = z.object({ url: z.string() }).parse(said[0]).url;
  });
  afterAll(async () => {
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
    await api.close();
  });

  it('when requests are served, refused or fail over a row', async () => {
    const path = '/api/directory/accounts';
    const person = await newAccount(admin, { displayName: 'Unmistakable', email: 'unmistakable@example.com' });
    const investigator = await api.as('directory.account:read', 'people:pii');

    expect(await ask(admin, 'GET', `${path}?search=Unmistakable`)).toBe(200);
    expect(await ask(investigator, 'GET', `${path}/${person.id}`)).toBe(200);
    expect(await ask(admin, 'POST', path, { username: 'unmistakable user', displayName: 'Unmistakable' })).toBe(422);
    const taken = { username: 'other-user', displayName: 'Unmistakable', email: 'unmistakable@example.com' };
    expect(await ask(admin, 'POST', path, taken)).toBe(409);
    expect(await ask(api, 'POST', '/api/auth/sign-in', { username: 'unmistakable', password: 'unmistakable' })).toBe(
      401,
    );

    // PostgreSQL quotes the whole row when a rule nobody expects refuses it.
    await api.rows(`ALTER TABLE directory.account ADD CONSTRAINT unexpected CHECK (locale <> 'tlh')`);
    await api.rows(`ALTER TABLE platform.audit_log ADD CONSTRAINT unexpected CHECK (operation <> 'READ') NOT VALID`);
    expect(await ask(admin, 'PATCH', `${path}/${person.id}`, { givenName: 'Unmistakable', locale: 'tlh' })).toBe(500);
    expect(await ask(investigator, 'GET', `${path}/${person.id}`)).toBe(500);

    await eventually(() => {
      expect(log.match(/request failed/g)).toHaveLength(2);
    });
    expect(log).not.toMatch(/unmistakable/i);
  });
});
