import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { Caller, METRICS, Queues, type Metrics } from '@belay/platform';
import { wms } from '@belay/wms';
import pg from 'pg';
import { startWorker } from '../../apps/worker/src/worker.js';
import { integrityChecks } from '../../libs/wms/src/integrity/integrity.queries.js';
import {
  integrityRunView,
  integrityView,
  type IntegrityRunView,
} from '../../libs/wms/src/integrity/integrity.contract.js';
import { eventually } from '../support/eventually.js';
import { newHolder, newSite } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { Billing } from './billing.js';

const path = '/api/wms/integrity';

describe('a run of the integrity checks', () => {
  let billing: Billing;
  let admin: TestApi;

  const run = (by = admin) => billing.expect(integrityRunView, by, 'POST', `${path}/run`);
  const last = async (by = admin) => (await billing.expect(integrityView, by, 'GET', path)).last;
  const found = ({ checks }: IntegrityRunView) =>
    checks
      .filter(({ outcome }) => outcome !== 'passed')
      .map(({ name, outcome, violations }) => [name, outcome, violations]);
  const metric = async () => {
    const text = await billing.api.app.get<Metrics>(METRICS).getSingleMetricAsString('wms_integrity_failures');
    const samples = text.split('\n').filter((line) => line.startsWith('wms_integrity_failures{'));
    return new Map(samples.map((line) => [/check="([^"]+)"/.exec(line)?.[1], Number(line.split(' ').at(-1))]));
  };
  const facts = async (runId: string) =>
    (
      await billing.api.rows<{ body: unknown }>(
        `SELECT body FROM platform.outbox WHERE name = 'wms.integrity.failed' AND body ->> 'runId' = $1`,
        [runId],
      )
    ).map(({ body }) => body);
  /** On a connection of its own, with the rules of the database off: damage that no statement of ours could do. */
  const damage = async (...statements: string[]) => {
    const client = new pg.Client({ connectionString: billing.api.config.DATABASE_URL });
    await client.connect();
    try {
      await client.query('SET session_replication_role = replica');
      for (const sql of statements) await client.query(sql);
    } finally {
      await client.end();
    }
  };

  beforeAll(async () => {
    billing = await Billing.open();
    admin = await billing.api.as('admin');
    await billing.chargeStorage();
    await billing.paid();
  });
  afterAll(() => billing.close());

  it('is nothing before the first one', async () => {
    expect(await last()).toBeNull();
    expect((await metric()).size).toBe(0);
    expect(await billing.outcome(admin, 'GET', `${path}/runs/${randomUUIDv7()}`)).toBe('404 integrity-run-not-found');
  });

  it('passes every check where nothing is wrong, and is remembered', async () => {
    const made = await run();
    expect(found(made)).toEqual([]);
    expect(made.checks.map(({ name }) => name)).toEqual(integrityChecks.map(({ name }) => name).toSorted());
    expect(made).toMatchObject({ failed: 0, inconclusive: 0 });
    expect(await last()).toEqual(made);
    expect(await billing.expect(integrityRunView, admin, 'GET', `${path}/runs/${made.id}`)).toEqual(made);
    expect([...(await metric()).values()].every((value) => value === 0)).toBe(true);
    expect((await metric()).size).toBe(integrityChecks.length);
    expect(await facts(made.id)).toEqual([]);
  });

  it('finds what was damaged, says how much and what, announces it, and passes when it is mended', async () => {
    await damage(
      `UPDATE wms.invoice_line SET amount = amount + 0.01`,
      `INSERT INTO wms.rate_alias (id, warehouse_id, category, alias, rate_name, created_by)
       VALUES (gen_random_uuid(), '${billing.place.id}', 'Unit', 'x', 'y', gen_random_uuid())`,
      `UPDATE wms.cost_charge SET amount = amount + 1 WHERE quantity = 10`,
    );
    const made = await run();
    expect(found(made)).toEqual([
      // The line of the invoice, and the alias that nobody wrote down.
      ['audit-is-complete', 'failed', 2],
      ['charges-are-quantity-by-rate', 'failed', 1],
      ['invoices-add-up', 'failed', 1],
    ]);
    expect(made.checks.find(({ name }) => name === 'invoices-add-up')).toMatchObject({
      severity: 'high',
      sample: [{ fault: 'lines', stated: 54.6, found: 54.61 }],
    });
    expect((await metric()).get('audit-is-complete')).toBe(2);
    expect(await facts(made.id)).toEqual([
      {
        runId: made.id,
        checks: [
          { name: 'charges-are-quantity-by-rate', severity: 'high', violations: 1 },
          { name: 'invoices-add-up', severity: 'high', violations: 1 },
          { name: 'audit-is-complete', severity: 'critical', violations: 2 },
        ],
      },
    ]);
    await damage(
      `UPDATE wms.invoice_line SET amount = amount - 0.01`,
      `DELETE FROM wms.rate_alias`,
      `UPDATE wms.cost_charge SET amount = amount - 1 WHERE quantity = 10`,
    );
    expect(found(await run())).toEqual([]);
    expect((await metric()).get('audit-is-complete')).toBe(0);
    const { items } = await billing.list(admin, `${path}/runs?limit=2`);
    expect(items.map((one) => one['failed'])).toEqual([0, 3]);
  });

  it('says what it could not find out, instead of taking it for good', async () => {
    const client = new pg.Client({ connectionString: billing.api.config.DATABASE_URL });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query('LOCK TABLE wms.stock_close IN ACCESS EXCLUSIVE MODE');
      const made = await run();
      expect(made).toMatchObject({ failed: 0 });
      expect(found(made)).toContainEqual(['closes-equal-the-ledger', 'inconclusive', 0]);
      expect(made.checks.find(({ name }) => name === 'closes-equal-the-ledger')?.note).toMatch(/lock timeout/);
      expect(made.checks.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThan(8);
      expect((await metric()).has('closes-equal-the-ledger')).toBe(false);
    } finally {
      await client.end();
    }
  });

  it('is one at a time', async () => {
    const client = new pg.Client({ connectionString: billing.api.config.DATABASE_URL });
    await client.connect();
    try {
      await client.query(`BEGIN`);
      await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('wms.integrity', 0))`);
      expect(await billing.outcome(admin, 'POST', `${path}/run`)).toBe('409 integrity-run-in-progress');
    } finally {
      await client.end();
    }
    expect(await billing.outcome(admin, 'POST', `${path}/run`)).toBe('200');
  });

  it('shows what it found only to who may see every warehouse', async () => {
    await damage(`UPDATE wms.invoice_line SET amount = amount + 0.01`);
    await run();
    const here = await newSite(admin);
    const local = await newHolder(billing.api, admin, 'supervisor', here.id);
    const seen = await last(local);
    expect(seen?.failed).toBe(2);
    expect(seen?.checks.flatMap(({ sample }) => sample)).toEqual([]);
    expect(await billing.outcome(local, 'POST', `${path}/run`)).toBe('403 permission-missing');
    const ruler = await newHolder(billing.api, admin, 'admin', here.id);
    expect(await billing.outcome(ruler, 'POST', `${path}/run`)).toBe('403 permission-missing');
    const nobody = await billing.api.as('operator');
    expect(await billing.outcome(nobody, 'GET', path)).toBe('403 permission-missing');
    await damage(`UPDATE wms.invoice_line SET amount = amount - 0.01`);
  });

  it('is made every night, once', async () => {
    const on = { ...wms, defaultOn: true, features: wms.features.map((feature) => ({ ...feature, defaultOn: true })) };
    const worker = await startWorker({ config: billing.api.config, domains: [directory, on] });
    try {
      const id = `tick-${randomUUID()}`;
      const data = { version: 1, requestId: id, payload: { slot: new Date().toISOString() } };
      await billing.api.app.get(Queues).add('wms', { id, name: 'check-integrity', data, attempts: 1, backoffMs: 1 });
      await eventually(async () => {
        expect((await last())?.requestedBy).toBe(Caller.system('night').accountId);
      }, 10_000);
      expect(found((await last()) ?? (await run()))).toEqual([]);
    } finally {
      await worker.close();
    }
  });
});
