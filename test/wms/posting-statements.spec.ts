import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { directory } from '@belay/directory';
import { Database } from '@belay/platform';
import { wms } from '@belay/wms';
import pg from 'pg';
import { FlagsFile } from '../gate/flags-file.js';
import { eventually } from '../support/eventually.js';
import { fresh, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { newLot } from './master-data.js';
import { newFloor, path, post, receiptOf, shipmentOf, withKey, type Floor } from './postings.js';

const flagNames = ['enable_wms_module', 'wms_write', 'wms_finance'];
const stacked = { storageCartonsPerPallet: 9, shippingCartonsPerPallet: 9 };
const both = ['wms.document_lines', 'wms.post_movement'];

/**
 * Every statement that is sent to the database meanwhile, by name or by text, but for those that wake the relays and that
 * look after the process.
 */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const sent: string[] = [];
  const client: object = pg.Client.prototype;
  const query: unknown = Reflect.get(client, 'query');
  if (typeof query !== 'function') throw new Error('The driver asks by another method');
  const counted = new Proxy(query, {
    apply: (target, asker, args: unknown[]): unknown => {
      const [asked] = args;
      sent.push(String(typeof asked === 'string' ? asked : Reflect.get(Object(asked), 'name')));
      const answer: unknown = Reflect.apply(target, asker, args);
      return answer;
    },
  });
  Reflect.set(client, 'query', counted);
  try {
    await work();
  } finally {
    Reflect.set(client, 'query', query);
  }
  return sent.filter((name) => name !== 'platform.outbox_ring' && name !== 'SELECT' && !name.includes('control.'));
}

function addRate(admin: TestApi, { warehouse }: Floor, basis: string, value: string): Promise<unknown> {
  const rate = {
    warehouse: warehouse.code,
    category: 'Accessorial',
    name: fresh(basis),
    basis,
    value,
    currency: 'GBP',
  };
  return admin.post('/api/wms/rates', { ...rate, effectiveFrom: '2020-01-01' }, 201);
}

describe('a posting', () => {
  let flags: FlagsFile;
  let api: TestApi;
  let admin: TestApi;
  let floor: Floor;

  beforeAll(async () => {
    flags = new FlagsFile([directory, wms], flagNames);
    api = await TestApi.start({ config: { FLAGS_FILE: flags.path } }, wms);
    admin = await api.as('admin');
  });
  afterAll(async () => {
    await api.close();
    flags.remove();
  });
  beforeEach(async () => {
    floor = await newFloor(admin);
    await post(admin, 'receive', receiptOf(floor, { cartons: 100 }));
  });

  const rate = (basis: string, value: string) => addRate(admin, floor, basis, value);

  it('takes two statements and no transaction around them, with its key, facts and audit', async () => {
    const key = fresh('key');
    expect(await statementsOf(() => post(admin, 'ship', shipmentOf(floor), key))).toEqual(both);
    const [kept] = await api.rows(
      `SELECT (SELECT count(*)::integer FROM platform.idempotency_key WHERE key = $1) AS keys,
              (SELECT count(*)::integer FROM platform.outbox WHERE body ->> 'warehouseId' = $2 AND name = 'wms.movement.posted') AS facts,
              (SELECT count(*)::integer FROM platform.audit_log WHERE new ->> 'warehouse_id' = $2 AND table_name = 'movement') AS audited`,
      [key, floor.warehouse.id],
    );
    expect(kept).toEqual({ keys: 1, facts: 2, audited: 2 });
  });

  it('takes no more for five lines, for a time in the past, or for what it costs', async () => {
    const lots = await Promise.all(Array.from({ length: 5 }, () => newLot(admin, floor.sku, stacked)));
    const lines = lots.map(({ code }) => ({ sku: floor.sku.code, lot: code, location: floor.bin, cartons: 2 }));
    expect(await statementsOf(() => post(admin, 'receive', receiptOf(floor, {}, { lines })))).toEqual(both);
    const then = { effectiveAt: '2025-02-03T09:00:00Z' };
    const because = admin.withHeaders({ 'x-reason': 'Late' });
    expect(await statementsOf(() => post(because, 'receive', receiptOf(floor, {}, then)))).toEqual(both);

    for (const [basis, value] of [
      ['per_unit', '0.05'],
      ['per_shipment', '1.50'],
      ['per_carton_out_loose', '0.35'],
    ] as const) {
      await rate(basis, value);
    }
    let amounts: (string | null)[] = [];
    const ship = async () => {
      const { charges } = await post(admin, 'ship', shipmentOf(floor, { cartons: 3 }));
      amounts = charges.map(({ amount }) => amount);
    };
    expect(await statementsOf(ship)).toEqual(both);
    expect(amounts.toSorted()).toEqual(['1.05', '1.50', '9.00']);
    const [written] = await api.rows(
      `SELECT sum(amount)::text AS amount FROM wms.cost_charge WHERE warehouse_id = $1`,
      [floor.warehouse.id],
    );
    expect(written).toEqual({ amount: '11.55' });
  });

  it('is refused in one more, which says what there is', async () => {
    const refuse = () => outcome(admin, 'POST', `${path}/ship`, shipmentOf(floor, { cartons: 101 }), withKey());
    const statements = await statementsOf(refuse);
    expect(statements).toEqual([...both, 'wms.stock_of_buckets', 'platform.idempotent_answer']);
  });

  it('costs nothing while finance is off, and is charged again when it is on', async () => {
    await rate('per_shipment', '1.50');
    const ship = async () => (await post(admin, 'ship', shipmentOf(floor))).charges.length;
    expect(await ship()).toBe(1);
    flags.off('wms_finance');
    await eventually(async () => {
      expect(await ship()).toBe(0);
    });
    flags.on('wms_finance');
    await eventually(async () => {
      expect(await ship()).toBe(1);
    });
  });

  it('is refused when only reading is on, and finished when it is a reversal while things drain', async () => {
    const { id } = await post(admin, 'ship', shipmentOf(floor));
    const ends = (kind: string, body: object) => outcome(admin, 'POST', `${path}/${kind}`, body, withKey());
    flags.mode('wms_write', 'drain');
    await eventually(async () => {
      expect(await ends('ship', shipmentOf(floor))).toBe('403 feature-draining');
    });
    expect(await ends(`${id}/reverse`, {})).toBe('201');
    flags.mode('wms_write', 'read_only');
    await eventually(async () => {
      expect(await ends(`${id}/reverse`, {})).toBe('403 feature-read-only');
    });
    expect(await outcome(admin, 'GET', `${path}/${id}`)).toBe('200');
    flags.off('wms_write');
    await eventually(async () => {
      expect(await ends('ship', shipmentOf(floor))).toBe('404 feature-off');
    });
    flags.set('wms_write', { enabled: true, variants: [] });
    await eventually(async () => {
      expect(await ends('ship', shipmentOf(floor))).toBe('201');
    });
  });
});

describe('a connection that posts again and again', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await TestApi.start({ config: { DATABASE_POOL: 1 } }, wms);
  });
  afterAll(() => api.close());

  // The server takes the first five times to compare; one plan for all is its choice unless another seems cheaper.
  it('has each of its statements planned for the last time at the fifth', async () => {
    const admin = await api.as('admin');
    const floor = await newFloor(admin);
    await addRate(admin, floor, 'per_unit', '0.05');
    const lots = await Promise.all(Array.from({ length: 5 }, () => newLot(admin, floor.sku, stacked)));
    const lines = lots.map(({ code }) => ({ sku: floor.sku.code, lot: code, location: floor.bin, cartons: 20 }));
    const then = { effectiveAt: '2025-02-03T09:00:00Z' };
    const because = admin.withHeaders({ 'x-reason': 'Late' });
    await post(admin, 'receive', receiptOf(floor, { cartons: 100 }, { lines, note: 'Five lots' }));
    for (let round = 0; round < 4; round += 1) {
      await post(admin, 'receive', receiptOf(floor, { cartons: 100 }));
      await post(admin, 'ship', shipmentOf(floor));
      await post(admin, 'ship', shipmentOf(floor, {}, { lines: lines.map((line) => ({ ...line, cartons: 1 })) }));
      await post(because, 'receive', receiptOf(floor, {}, then));
    }
    const { dataSource } = api.app.get(Database);
    const planned: unknown = await dataSource.query(
      `SELECT name, custom_plans::integer AS planned, generic_plans::integer AS reused FROM pg_prepared_statements
       WHERE name = ANY ($1) ORDER BY name`,
      [both],
    );
    expect(planned).toEqual(both.map((name) => ({ name, planned: 5, reused: 12 })));
  });
});
