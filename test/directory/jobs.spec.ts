import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountView, directory } from '@belay/directory';
import { Caller, Database, Outbox, Queues } from '@belay/platform';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { eventually } from '../support/eventually.js';
import { newAccount } from '../support/people.js';
import { TestApi } from '../support/test-api.js';

describe('in the background', () => {
  let api: TestApi;
  let admin: TestApi;
  let worker: RunningWorker;

  const announce = (operatorId: string, consent: string, occurredAt = new Date()) =>
    api.app.get(Database).transaction(Caller.system('people'), async (tx) => {
      await api.app.get(Outbox).add(tx, { name: 'people.consent-changed', body: { operatorId, consent } }, 'people');
      await tx.query(
        `UPDATE platform.outbox SET occurred_at = $1 WHERE body ->> 'operatorId' = $2 AND published_at IS NULL`,
        [occurredAt, operatorId],
      );
    });
  const marks = async () =>
    (await api.rows(`SELECT FROM platform.inbox WHERE consumer = 'directory.copy-consent'`)).length;
  const consentOf = async (id: string) => (await admin.get(`/api/directory/accounts/${id}`, 200, accountView)).consent;

  beforeAll(async () => {
    api = await TestApi.with();
    admin = await api.as('admin');
    worker = await startWorker({ config: api.config, domains: [directory] });
  });
  afterAll(async () => {
    await worker.close();
    await api.close();
  });

  it('a consent given elsewhere is copied', async () => {
    const { id } = await newAccount(admin);
    await announce(id, 'REJECTED');
    await eventually(async () => {
      expect(await consentOf(id)).toBe('REJECTED');
    }, 10_000);
    expect(await api.rows(`SELECT source FROM directory.consent WHERE account_id = $1`, [id])).toEqual([
      { source: 'people' },
    ]);
  });

  it('an older consent, and one of nobody known, change nothing', async () => {
    const { id } = await newAccount(admin);
    await admin.put(`/api/directory/accounts/${id}/consent`, { value: 'REJECTED' });
    const before = await marks();
    await announce(id, 'ACCEPTED', new Date(Date.now() - 60_000));
    await announce(randomUUIDv7(), 'ACCEPTED');
    await eventually(async () => {
      expect(await marks()).toBe(before + 2);
    }, 10_000);
    expect(await consentOf(id)).toBe('REJECTED');
  });

  it('failed sign-ins are forgotten after a day, and tokens thirty days after they ran out', async () => {
    const { id } = await newAccount(admin);
    await api.rows(
      `INSERT INTO directory.sign_in_failure (username_hash, failed_sign_ins, last_failed_at)
       VALUES ('\\x01', 1, now() - interval '25 hours'), ('\\x02', 1, now() - interval '23 hours')`,
    );
    await api.rows(
      `INSERT INTO directory.refresh_token (id, account_id, family, hash, authenticated_at, expires_at)
       SELECT gen_random_uuid(), $1, gen_random_uuid(), days::text, now(), now() - make_interval(days => days)
       FROM unnest('{29,31}'::integer[]) AS days`,
      [id],
    );
    const data = { version: 1, requestId: 'tick', payload: { slot: new Date().toISOString() } };
    await api.app
      .get(Queues)
      .add('directory', { id: 'tick-now', name: 'forget-sign-ins', data, attempts: 1, backoffMs: 1 });
    await eventually(async () => {
      const rows = await api.rows(`SELECT encode(username_hash, 'hex') AS hash FROM directory.sign_in_failure`);
      expect(rows).toEqual([{ hash: '02' }]);
      expect(await api.rows(`SELECT hash FROM directory.refresh_token`)).toEqual([{ hash: '29' }]);
    }, 10_000);
  });
});
