import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { issuedToken, sessionView } from '@belay/directory';
import { fresh, newAccount, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';

const password = 'quiet harbour lamps';

describe('with two connections to the database', () => {
  let api: TestApi;
  let admin: TestApi;

  beforeAll(async () => {
    api = await TestApi.start({ config: { DATABASE_POOL: 2, ANONYMOUS_RATE_LIMIT_PER_MINUTE: 1_000_000 } });
    admin = await api.as('admin');
  });
  afterAll(() => api.close());

  it('thirty who sign in at once all do, the first ever included, and all stay signed in', async () => {
    const model = await newAccount(admin, { username: fresh('model'), password });
    const usernames = Array.from({ length: 30 }, () => fresh('crowd'));
    await api.rows(
      `WITH added AS (
         INSERT INTO directory.account (id, kind, username, display_name, row_version)
         SELECT gen_random_uuid(), 'person', name, name, 1 FROM unnest($1::text[]) AS name RETURNING id)
       INSERT INTO directory.password (account_id, hash)
       SELECT added.id, p.hash FROM added, directory.password p WHERE p.account_id = $2`,
      [usernames, model.id],
    );
    // As in a process that has signed nothing yet.
    await api.rows(`DELETE FROM platform.signing_key`);
    const other = await api.another();
    const sessions = await Promise.all(
      usernames.map((username) => other.post('/api/auth/sign-in', { username, password }, 200, sessionView)),
    );
    await Promise.all(
      sessions.map(({ refreshToken }) => other.post('/api/auth/refresh', { refreshToken }, 200, sessionView)),
    );
    await other.app.close();
  });

  it('thirty tokens and thirty accounts are made at once', async () => {
    const { id } = await newAccount(admin, { kind: 'machine', roles: [{ role: 'viewer', siteId: null }] });
    const body = { name: 'Gate', scopes: ['sop:read'] };
    await Promise.all(
      Array.from({ length: 30 }, () => admin.post(`/api/directory/accounts/${id}/tokens`, body, 201, issuedToken)),
    );
    const added = await Promise.all(
      Array.from({ length: 30 }, () =>
        outcome(admin, 'POST', '/api/directory/accounts', { username: fresh('many'), displayName: 'Many' }),
      ),
    );
    expect(new Set(added)).toEqual(new Set(['201']));
  });
});
