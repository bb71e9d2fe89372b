import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { meView, sessionView, type SessionView } from '@belay/directory';
import { firstAdminCommand, NoFirstAdmin } from '../../apps/cli/src/first-admin.command.js';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { newAccount } from '../support/people.js';
import { TestApi } from '../support/test-api.js';

/** Runs `belay first-admin …` and gives the password that it printed. */
async function belay({ databaseUrl }: Pick<TestDatabases, 'databaseUrl'>, ...words: string[]): Promise<string> {
  let text = '';
  const command = firstAdminCommand(
    () => databaseUrl,
    (answer) => (text += answer),
  );
  await command.parseAsync(words, { from: 'user' });
  return / with (\S{24}) and /.exec(text)?.[1] ?? text;
}

describe('belay first-admin', () => {
  let databases: TestDatabases;
  beforeAll(async () => {
    databases = await createDatabases();
  });
  afterAll(() => databases.drop());

  it.each(['a', '.ada', 'ada admin', 'a'.repeat(65)])('refuses the username %s', async (username) => {
    await expect(belay(databases, username)).rejects.toThrow(NoFirstAdmin);
  });

  it('makes one administrator, also when two ask at once, and then none', async () => {
    const made = await Promise.allSettled([belay(databases, 'ada'), belay(databases, 'bea')]);
    expect(made.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await expect(belay(databases, 'carl')).rejects.toThrow('Somebody administers Belay already');
  });
});

describe('the first administrator', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await TestApi.start({});
  });
  afterAll(() => api.close());

  it('signs in with the password shown, must choose another, and then administers', async () => {
    await api.rows(`DELETE FROM directory.account_role WHERE role = 'admin'`);
    const password = await belay({ databaseUrl: api.config.DATABASE_URL }, 'Ada', '--name', 'Ada Admin');
    const holding = ({ accessToken }: SessionView) => api.withHeaders({ authorization: `Bearer ${accessToken}` });
    const temporary = await api.post('/api/auth/sign-in', { username: 'ada', password }, 200, sessionView);
    expect(temporary.mustChangePassword).toBe(true);
    await holding(temporary).get('/api/directory/sites', 403);

    const change = { currentPassword: password, newPassword: 'a quiet harbour' };
    const ada = holding(await holding(temporary).put('/api/auth/password', change, 200, sessionView));
    const me = await ada.get('/api/auth/me', 200, meView);
    expect(me.account).toMatchObject({ displayName: 'Ada Admin', roles: [{ role: 'admin', siteId: null }] });
    await newAccount(ada);
    await expect(belay({ databaseUrl: api.config.DATABASE_URL }, 'carl')).rejects.toThrow(NoFirstAdmin);
  });

  it('is not made of an account that is there', async () => {
    await api.rows(`DELETE FROM directory.account_role WHERE role = 'admin'`);
    await expect(belay({ databaseUrl: api.config.DATABASE_URL }, 'ada')).rejects.toThrow('of another account');
  });
});
