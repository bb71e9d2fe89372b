import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directory } from '@belay/directory';
import { wms, type WarehouseView } from '@belay/wms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { startWorker } from '../../apps/worker/src/worker.js';
import { eventually } from '../support/eventually.js';
import { fresh, newSite } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { commitWhole, report, upload } from './importing.js';
import { newLocation, newSku, newWarehouse } from './master-data.js';

const exportView = z.object({
  id: z.uuid(),
  status: z.string(),
  rows: z.int().nullable(),
  sha256: z.string().nullable(),
  url: z.string().nullable(),
});
type ExportView = z.infer<typeof exportView>;
const records = z.array(z.record(z.string(), z.string()));

describe('exporting', () => {
  let folder: string;
  let api: TestApi;
  let admin: TestApi;
  let warehouse: WarehouseView;
  let sku: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'belay-files-'));
    api = await TestApi.start({ config: { FILES_DIR: folder } }, wms);
    admin = await api.as('admin');
    ({ warehouse, sku } = await stocked(admin));
  });
  afterAll(async () => {
    await api.close();
    await rm(folder, { recursive: true });
  });

  function post(who: TestApi, path: string, body: object, status = 201): Promise<unknown> {
    return who.withHeaders({ 'idempotency-key': randomUUID() }).post(`/api/wms/${path}`, body, status);
  }

  /** A warehouse in which one of everything has happened. */
  async function stocked(who: TestApi): Promise<{ warehouse: WarehouseView; sku: string }> {
    const place = await newWarehouse(who, { code: fresh('A/B') });
    await newLocation(who, place, { code: 'BIN-1' });
    const goods = await newSku(who, { code: fresh('=CS'), defaultUnitsPerCarton: 60 });
    const of = { warehouse: place.code };
    const lot = { sku: goods.code, lot: '@8' };
    const stacking = { storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16 };
    await post(who, 'movements/receive', {
      ...of,
      reference: '+IN',
      effectiveAt: '2025-01-06T09:30:00Z',
      note: '-1, "two"\nlines',
      lines: [
        {
          sku: goods.code,
          createLot: { code: '@8', unitsPerCarton: 52, ...stacking },
          cartons: 17,
          looseUnits: 5,
          palletsReported: 2,
        },
      ],
    });
    await post(who, 'movements/receive', {
      ...of,
      reference: 'IN-2',
      effectiveAt: '2025-01-06T10:00:00Z',
      lines: [{ ...lot, cartons: 2, qcFailed: true }],
    });
    await post(who, 'movements/transfer', {
      ...of,
      effectiveAt: '2025-01-07T10:00:00Z',
      lines: [{ ...lot, cartons: 9, toLocation: 'BIN-1' }],
    });
    await post(who, 'movements/ship', {
      ...of,
      reference: 'OUT',
      effectiveAt: '2025-01-08T10:00:00Z',
      lines: [{ ...lot, location: 'BIN-1', cartons: 4, looseUnits: 1 }],
    });
    await post(who, 'movements/adjust', {
      ...of,
      kind: 'ADJUST_OUT',
      reasonCode: 'damage',
      effectiveAt: '2025-01-09T10:00:00Z',
      lines: [{ ...lot, looseUnits: 3 }],
    });
    const wrong = z.object({ id: z.uuid() }).parse(
      await post(who, 'movements/ship', {
        ...of,
        reference: 'WRONG',
        effectiveAt: '2025-01-10T10:00:00Z',
        lines: [{ ...lot, location: 'BIN-1', cartons: 1 }],
      }),
    );
    await post(who, `movements/${wrong.id}/reverse`, { effectiveAt: '2025-01-11T10:00:00Z' });
    return { warehouse: place, sku: goods.code };
  }

  function requested(kind: string, who = admin, details: object = {}): Promise<ExportView> {
    return who.post('/api/wms/exports', { kind, warehouse: warehouse.code, ...details }, 201, exportView);
  }

  async function exported(kind: string, who = admin, details: object = {}) {
    const made = await requested(kind, who, details);
    const { body, headers } = await who.send('GET', `/api/wms/exports/${made.id}/file`);
    expect(headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(createHash('sha256').update(body).digest('hex')).toBe(made.sha256);
    const rows = records.parse(parse(body, { columns: true }));
    expect(made).toMatchObject({ status: 'done', rows: rows.length });
    return { body, rows };
  }

  async function refused(who: TestApi, body: object): Promise<string> {
    const response = await who.send('POST', '/api/wms/exports', body);
    return `${response.statusCode} ${z.object({ code: z.string() }).parse(response.json()).code}`;
  }

  it('writes stock, and no cell that a spreadsheet would run', async () => {
    const { body, rows } = await exported('stock');
    expect(body.split('\r\n')[0]).toBe(
      'Warehouse,Location,SKU,Shipment,Stock_Status,On_Hand,Reserved,Available,Cartons,Loose_Units,Expires_On',
    );
    expect(rows).toEqual([
      expect.objectContaining({
        Location: 'BIN-1',
        SKU: `'${sku}`,
        Shipment: `'@8`,
        On_Hand: String(9 * 52 - 4 * 52 - 1),
      }),
      expect.objectContaining({ Location: 'DEFAULT', Stock_Status: 'available', On_Hand: String(8 * 52 + 5 - 3) }),
      expect.objectContaining({ Location: 'DEFAULT', Stock_Status: 'quarantine', On_Hand: '104', Cartons: '2' }),
    ]);
    expect(rows[0]).toMatchObject({ Warehouse: warehouse.code });
  });

  it('writes the same file again as long as nothing happens', async () => {
    expect((await requested('ledger')).sha256).toBe((await requested('ledger')).sha256);
  });

  it('writes a ledger that makes equal stock when it is imported into an empty database', async () => {
    const { body, rows } = await exported('ledger');
    expect(rows).toHaveLength(8);
    expect(rows[0]).toMatchObject({
      Reference_ID: "'+IN",
      Notes: `'-1, "two"\nlines`,
      Cartons_In: '17',
      Units_In: '5',
    });

    const empty = await TestApi.with(wms);
    try {
      const there = await empty.as('admin');
      const place = await newWarehouse(there, { code: warehouse.code });
      await newLocation(there, place, { code: 'BIN-1' });
      await newSku(there, { code: sku, defaultUnitsPerCarton: 60 });
      const file = await upload(there, { kind: 'inventory_ledger', warehouse: place.code }, body);
      expect((await report(there, file.id)).issues).toEqual([]);
      await commitWhole(there, file.id);
      const balances = (one: TestApi) =>
        one.rows(
          `SELECT w.code AS warehouse, o.code AS location, s.code AS sku, l.code AS lot, l.units_per_carton, b.stock_status, b.on_hand
           FROM wms.stock_balance b JOIN wms.warehouse w ON w.id = b.warehouse_id JOIN wms.location o ON o.id = b.location_id
           JOIN wms.sku s ON s.id = b.sku_id JOIN wms.lot l ON l.id = b.lot_id ORDER BY 1, 2, 3, 4, 6`,
        );
      expect(await balances(empty)).toEqual(await balances(api));
      const history = (one: TestApi) =>
        one.rows(
          `SELECT m.kind, m.reference, m.effective_at, m.reverses_movement_id IS NOT NULL AS reverses, a.notes
           FROM wms.movement m LEFT JOIN wms.movement_attr a ON a.movement_id = m.id ORDER BY m.effective_at`,
        );
      expect(await history(empty)).toEqual(await history(api));
    } finally {
      await empty.close();
    }
  });

  it('writes invoices that can be imported, with exact amounts', async () => {
    const finance = await api.as('admin');
    const invoice = {
      warehouse: warehouse.code,
      number: fresh('=INV'),
      periodStart: '2024-12-16',
      periodEnd: '2025-01-15',
      issuedOn: '2025-01-20',
      net: '-0.10',
      tax: '0.03',
      total: '-0.07',
      lines: [
        { category: 'Storage', name: '-Storage', quantity: '0.1', unitRate: '3.900001', amount: '0.20' },
        { category: 'Unit', name: 'Credit', quantity: '-3', amount: '-0.30' },
      ],
    };
    await post(finance, 'invoices', invoice);
    const { rows } = await exported('invoices');
    expect(rows).toEqual([
      expect.objectContaining({
        'Invoice Number': `'${invoice.number}`,
        'Total Amount': '-0.07',
        name: `'-Storage`,
        rate: '3.900001',
        amount: '0.20',
      }),
      expect.objectContaining({ name: 'Credit', quantity: '-3.0000', rate: '', amount: '-0.30' }),
    ]);
  });

  it.each(['storage_ledger', 'costs', 'reconciliation', 'pallet_variance', 'missing_documents'])(
    'writes %s',
    async (kind) => {
      const { body, rows } = await exported(kind);
      expect(body.startsWith('Warehouse,')).toBe(true);
      if (kind === 'pallet_variance')
        expect(rows).toMatchObject([{ Pallets_Reported: '2', Pallets_Computed: '1', Difference: '1' }]);
      if (kind === 'missing_documents')
        expect(rows.map(({ Missing }) => Missing)).toEqual([
          'attachments',
          'attachments',
          'attachments trackingNumber',
        ]);
    },
  );

  it('holds only days that were asked for', async () => {
    const { rows } = await exported('ledger', admin, { from: '2025-01-07', to: '2025-01-08' });
    expect(rows.map((row) => row['Transaction_Type'])).toEqual(['TRANSFER', 'TRANSFER', 'SHIP']);
  });

  it('shows nobody what they do not see, and hands it to nobody else', async () => {
    const other = await newSite(admin);
    const stranger = await api.as('wms.export:run');
    expect(await refused(stranger, { kind: 'stock' })).toBe('403 permission-missing');
    expect(await refused(await api.as(), { kind: 'stock' })).toBe('403 permission-missing');

    const local = await api.as();
    const [{ id } = { id: '' }] = await api.rows<{ id: string }>(
      `SELECT id FROM directory.account WHERE username LIKE 'user-%' ORDER BY created_at DESC LIMIT 1`,
    );
    for (const permission of ['wms.export:run', 'wms.inventory:read']) {
      await api.rows(
        `INSERT INTO directory.account_permission (id, account_id, permission, site_id) VALUES ($1, $2, $3, $4)`,
        [randomUUID(), id, permission, other.id],
      );
    }
    const somewhere = await api.asAccount(id);
    expect(await refused(somewhere, { kind: 'stock', warehouse: warehouse.code })).toBe('404 warehouse-not-found');
    const nothing = await somewhere.post('/api/wms/exports', { kind: 'stock' }, 201, exportView);
    expect(nothing.rows).toBe(0);

    const mine = await requested('stock');
    expect((await somewhere.send('GET', `/api/wms/exports/${mine.id}/file`)).statusCode).toBe(404);
    expect(local).toBeDefined();
  });

  it('hands the file to whoever has the link, and to nobody who has changed it', async () => {
    const { id, url } = await requested('stock');
    const path = String(url);
    expect((await api.send('GET', path)).statusCode).toBe(200);
    const forged = path.replace(/signature=(.)/, (_, first: string) => `signature=${first === '_' ? '-' : '_'}`);
    expect((await api.send('GET', forged)).statusCode).toBe(404);
    expect((await api.send('GET', path.replace(/expires=\d/, 'expires=9'))).statusCode).toBe(404);
    await api.rows(`UPDATE wms.export_job SET expires_at = now() - interval '1 second' WHERE id = $1`, [id]);
    expect((await api.send('GET', path)).statusCode).toBe(404);
  });

  it('writes more than ten thousand rows as a job', async () => {
    const lines = async (count: number) => {
      const [{ rows } = { rows: 0 }] = await api.rows<{ rows: number }>(
        `SELECT count(*)::integer AS rows FROM wms.wms_inventory_transaction WHERE warehouse_id = $1`,
        [warehouse.id],
      );
      await api.rows(
        `WITH m AS (
           INSERT INTO wms.movement (id, number, warehouse_id, kind, effective_at, actor_id)
           VALUES (gen_random_uuid(), gen_random_uuid()::text, $1, 'OPENING', '2025-02-01', gen_random_uuid())
           RETURNING id, warehouse_id, effective_at, recorded_at)
         INSERT INTO wms.wms_inventory_transaction
           (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id, stock_status, qty_delta, effective_at, recorded_at)
         SELECT m.id, n, m.warehouse_id, b.location_id, b.sku_id, b.lot_id, b.stock_status, 1, m.effective_at, m.recorded_at
         FROM m, generate_series(1, $2::integer) n,
              (SELECT * FROM wms.stock_balance WHERE warehouse_id = $1 ORDER BY id LIMIT 1) b`,
        [warehouse.id, count - rows],
      );
    };
    await lines(10_000);
    expect(await requested('ledger')).toMatchObject({ status: 'done', rows: 10_000 });
    await lines(10_001);
    const large = await requested('ledger');
    expect(large).toMatchObject({ status: 'waiting', rows: null, url: null });
    expect((await admin.send('GET', `/api/wms/exports/${large.id}/file`)).statusCode).toBe(409);

    const on = { ...wms, defaultOn: true, features: wms.features.map((feature) => ({ ...feature, defaultOn: true })) };
    const worker = await startWorker({ config: api.config, domains: [directory, on] });
    try {
      await eventually(async () => {
        expect(await admin.get(`/api/wms/exports/${large.id}`, 200, exportView)).toMatchObject({
          status: 'done',
          rows: 10_001,
        });
      }, 30_000);
    } finally {
      await worker.close();
    }
  }, 60_000);
});
