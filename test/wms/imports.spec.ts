import { randomUUID } from 'node:crypto';
import { wms, type WarehouseView } from '@belay/wms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { fresh } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { newLot, newSku, newWarehouse } from './master-data.js';

const importView = z.object({
  id: z.uuid(),
  status: z.string(),
  fileSha256: z.string(),
  rowsTotal: z.int().nullable(),
  rowsDone: z.int(),
  rowsOk: z.int(),
  rowsWarning: z.int(),
  rowsError: z.int(),
  ignoredColumns: z.array(z.string()),
  failure: z.string().nullable(),
});
const issue = z.object({
  row: z.int(),
  line: z.int(),
  column: z.string().nullable(),
  severity: z.string(),
  code: z.string(),
  detail: z.string(),
});
const importReport = importView.extend({ issues: z.array(issue), next: z.string().nullable() });
const refusal = z.object({ code: z.string(), errors: z.array(issue.partial().loose()).optional() });

const ledgerHeader =
  'Timestamp,Transaction_ID,Warehouse,SKU,Shipment,Transaction_Type,Reference_ID (Email tag),Cartons_In,Cartons_Out,' +
  'storage_pallets_in,shipping_pallets_out,Notes';

describe('importing files', () => {
  let api: TestApi;
  let supervisor: TestApi;
  let admin: TestApi;
  let warehouse: WarehouseView;

  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
    supervisor = await api.as('supervisor');
    warehouse = await newWarehouse(admin);
  });
  afterAll(() => api.close());

  async function upload(kind: string, rows: readonly string[], options: Record<string, string> = {}, who = supervisor) {
    const query = new URLSearchParams({
      kind,
      ...(kind !== 'sku_master' && { warehouse: warehouse.code }),
      ...options,
    });
    return who.send('POST', `/api/wms/imports?${query.toString()}`, rows.join('\n'), { 'content-type': 'text/csv' });
  }

  async function uploaded(
    kind: string,
    rows: readonly string[],
    options: Record<string, string> = {},
    who = supervisor,
  ) {
    const response = await upload(kind, rows, options, who);
    expect([response.statusCode, response.body]).toEqual([201, response.body]);
    return importView.parse(response.json());
  }

  function commit(id: string, body: object = {}, who = supervisor) {
    return who.send('POST', `/api/wms/imports/${id}/commit`, body, { 'idempotency-key': randomUUID() });
  }

  async function committed(id: string, body: object = {}, who = supervisor) {
    const response = await commit(id, body, who);
    expect([response.statusCode, response.body]).toEqual([200, response.body]);
    return importView.parse(response.json());
  }

  function report(id: string) {
    return supervisor.get(`/api/wms/imports/${id}`, 200, importReport);
  }

  function movements(reference: string) {
    return api.rows<{ kind: string; units: string; source_id: string }>(
      `SELECT m.kind, sum(t.qty_delta)::text AS units, m.source_id FROM wms.movement m
       JOIN wms.wms_inventory_transaction t ON t.movement_id = m.id WHERE m.reference LIKE $1
       GROUP BY m.id ORDER BY m.effective_at`,
      [`${reference}%`],
    );
  }

  it('takes in a sku master, whose sizes are in centimetres and kilograms', async () => {
    const [one, other] = [fresh('CS'), fresh('A/B')];
    const file = await uploaded('sku_master', [
      '\uFEFFSKU;ASIN;Description;Pack_Size;Material;Unit_Dimensions_cm;Unit_Weight_KG;Units_Per_Carton;Carton_Dimensions_cm;Carton_Weight_KG;Packaging_Type;Notes',
      `${one};B000;"Cushion; round";6;Cotton;20x10,5X3;0,125;60;40×28*29.5;8.1;Box;`,
      `${other};;Other;;;;;52;;;;`,
    ]);
    expect(file).toMatchObject({ status: 'checked', rowsTotal: 2, rowsOk: 2, rowsError: 0 });
    expect(await committed(file.id)).toMatchObject({ status: 'committed', rowsDone: 2 });
    expect(await admin.get(`/api/wms/skus/${encodeURIComponent(one)}`)).toMatchObject({
      description: 'Cushion; round',
      unitWidthMm: 105,
      unitWeightG: 125,
      defaultUnitsPerCarton: 60,
      defaultCartonHeightMm: 295,
      defaultCartonWeightG: 8100,
    });
    expect(await admin.get(`/api/wms/skus/${encodeURIComponent(other)}`)).toMatchObject({ code: other });
  });

  it('posts a ledger as movements, one for each transaction, and a second time nothing', async () => {
    const sku = await newSku(admin);
    const tag = fresh('T');
    const rows = [
      `${ledgerHeader},storage_cartons_per_pallet,shipping_cartons_per_pallet`,
      `2025-01-06 09:30,${tag}-1,${warehouse.code},${sku.code},8,RECEIVE,${tag}-IN,17,,1,,,36,16`,
      `2025-01-06 09:30,${tag}-1,${warehouse.code},${sku.code},9,RECEIVE,${tag}-IN,4,,,,,36,16`,
      `45665.5,${tag}-2,${warehouse.code},${sku.code},8,SHIP,${tag}-OUT,,10,,1,,,`,
    ];
    const file = await uploaded('inventory_ledger', rows);
    expect(await report(file.id)).toMatchObject({ rowsOk: 3, rowsError: 0, issues: [] });
    expect(await movements(tag)).toEqual([]);

    expect(await committed(file.id)).toMatchObject({ status: 'committed', rowsDone: 3 });
    expect(await movements(tag)).toEqual([
      { kind: 'RECEIVE', units: String(21 * 60), source_id: `import:${file.fileSha256}:1` },
      { kind: 'SHIP', units: String(-10 * 60), source_id: `import:${file.fileSha256}:3` },
    ]);
    const [shipped] = await api.rows(`SELECT effective_at FROM wms.movement WHERE reference = $1`, [`${tag}-OUT`]);
    expect(shipped).toEqual({ effective_at: new Date('2025-01-08T12:00:00Z') });

    const again = await uploaded('inventory_ledger', rows);
    expect(again).toMatchObject({ id: file.id, status: 'committed' });
    expect(await committed(again.id)).toMatchObject({ status: 'committed' });
    expect(await movements(tag)).toHaveLength(2);
  });

  describe('with five kinds of broken lines', () => {
    let rows: string[];
    let tag: string;

    beforeAll(async () => {
      const sku = await newSku(admin, { lotTracked: false });
      tag = fresh('T');
      const where = `${warehouse.code},${sku.code},`;
      rows = [
        `${ledgerHeader},storage_cartons_per_pallet,shipping_cartons_per_pallet`,
        `2025-02-03T09:00:00Z,${tag}-1,${where},RECEIVE,${tag}-1,100,,,,,36,16`,
        `03/04/2025,${tag}-2,${where},RECEIVE,${tag}-2,1,,,,,36,16`,
        `2025-02-04,${tag}-3,${where},RECEIVE,${tag}-3,ten,,,,,36,16`,
        `2025-02-05,${tag}-4,${where},TELEPORT,${tag}-4,1,,,,,36,16`,
        `2025-02-06,${tag}-5,${warehouse.code},NO SUCH,,RECEIVE,${tag}-5,1,,,,"two`,
        `lines",36,16`,
        `2025-02-07,${tag}-6,${where},SHIP,${tag}-6,,101,,,,,`,
        `2025-02-08,${tag}-7,${where},SHIP,${tag}-7,,40,,,,,`,
      ];
    });

    const expected = [
      { line: 3, column: 'Timestamp', code: 'ambiguous-date' },
      { line: 4, column: 'Cartons_In', code: 'not-a-number' },
      { line: 5, column: 'Transaction_Type', code: 'not-known' },
      { line: 7, column: 'SKU', code: 'unknown-sku' },
      { line: 8, column: 'Cartons_Out', code: 'insufficient-stock' },
    ];

    it('reports each by line, column and reason, and posts nothing unless errors may be skipped', async () => {
      const file = await uploaded('inventory_ledger', rows);
      const found = await report(file.id);
      expect(found).toMatchObject({ status: 'checked', rowsTotal: 7, rowsOk: 2, rowsError: 5, issues: expected });
      expect(found.issues.map(({ detail }) => detail)).toEqual([
        '03/04/2025 may mean two days: say whether dates are DMY or MDY',
        '"ten" is not a whole number, zero or more',
        expect.stringContaining('"TELEPORT" is none of'),
        'NO SUCH is no SKU that is known',
        expect.stringContaining('would be -60 units at 2025-02-07 00:00'),
      ]);

      const refused = await commit(file.id);
      expect(refused.statusCode).toBe(409);
      expect(refusal.parse(refused.json())).toMatchObject({ code: 'import-has-errors', errors: expected });
      expect(await movements(tag)).toEqual([]);
    });

    it('posts the good ones when errors may be skipped', async () => {
      const file = await uploaded('inventory_ledger', rows);
      expect(await committed(file.id, { skipErrors: true })).toMatchObject({
        status: 'committed',
        rowsDone: 7,
        rowsError: 5,
      });
      expect(await movements(tag)).toMatchObject([
        { kind: 'RECEIVE', units: '6000' },
        { kind: 'SHIP', units: '-2400' },
      ]);
      expect((await report(file.id)).issues).toMatchObject(expected);
    });
  });

  it('keeps rows of one transaction together', async () => {
    const sku = await newSku(admin, { lotTracked: false });
    const tag = fresh('T');
    const where = `${warehouse.code},${sku.code},`;
    const file = await uploaded('inventory_ledger', [
      `${ledgerHeader},storage_cartons_per_pallet,shipping_cartons_per_pallet`,
      `2025-02-03 09:00,${tag}-1,${where},RECEIVE,${tag}-1,5,,,,,36,16`,
      `2025-02-03 09:00,${tag}-1,${where},RECEIVE,${tag}-1,-5,,,,,36,16`,
      `2025-02-03 10:00,${tag}-2,${where},RECEIVE,${tag}-2,7,,,,,36,16`,
    ]);
    await committed(file.id, { skipErrors: true });
    expect(await movements(tag)).toMatchObject([{ kind: 'RECEIVE', units: '420' }]);
  });

  it('posts nothing at all when something happened between the report and the commit', async () => {
    const sku = await newSku(admin, { lotTracked: false });
    const tag = fresh('T');
    const where = `${warehouse.code},${sku.code},`;
    const head = `${ledgerHeader},storage_cartons_per_pallet,shipping_cartons_per_pallet`;
    await committed(
      (await uploaded('inventory_ledger', [head, `2025-02-01,${tag}-0,${where},RECEIVE,${tag}-0,10,,,,,36,16`])).id,
    );
    const first = await uploaded('inventory_ledger', [
      head,
      `2025-02-02,${tag}-1,${where},SHIP,${tag}-1,,4,,,,,`,
      `2025-02-03,${tag}-2,${where},SHIP,${tag}-2,,3,,,,,`,
    ]);
    const other = await uploaded('inventory_ledger', [head, `2025-02-02,${tag}-3,${where},SHIP,${tag}-3,,5,,,,,`]);
    expect([first.rowsError, other.rowsError]).toEqual([0, 0]);

    await committed(other.id);
    const refused = await commit(first.id);
    expect(refused.statusCode).toBe(409);
    expect(refusal.parse(refused.json())).toMatchObject({
      code: 'import-has-errors',
      errors: [{ line: 3, code: 'insufficient-stock' }],
    });
    expect(await movements(tag)).toHaveLength(2);
    expect(await report(first.id)).toMatchObject({ status: 'checked', rowsError: 1, failure: expect.any(String) });
    expect(await committed(first.id, { skipErrors: true })).toMatchObject({ status: 'committed' });
    expect(await movements(tag)).toMatchObject([{ units: '600' }, { units: '-300' }, { units: '-240' }]);
  });

  it('goes on where a commit of the same file was broken off, and posts nothing twice', async () => {
    const sku = await newSku(admin, { lotTracked: false });
    const tag = fresh('T');
    const where = `${warehouse.code},${sku.code},`;
    const rows = [
      `${ledgerHeader},Units_In,Units_Out,storage_cartons_per_pallet,shipping_cartons_per_pallet`,
      `2025-03-03 09:00,${tag}-1,${where},SHIP,${tag}-1,,,,,,,7,,`,
      `2025-03-03 10:00,${tag}-2,${where},SHIP,${tag}-2,,,,,,,5,,`,
    ];
    const options = { opening: 'least', fileName: `${tag}.csv` };
    const [file, same] = [
      await uploaded('inventory_ledger', rows, options),
      await uploaded('inventory_ledger', rows, options),
    ];
    await committed(file.id, { skipErrors: true });
    // As if the process had ended before the second document.
    await api.rows(`UPDATE wms.import_batch SET status = 'failed', committed_at = NULL WHERE id = $1`, [file.id]);
    const other = await commit(same.id);
    expect([other.statusCode, other.body]).toEqual([200, other.body]);
    expect(await movements(`Opening stock for ${tag}`)).toMatchObject([{ units: '12' }]);
    expect(await movements(tag)).toMatchObject([{ units: '-7' }, { units: '-5' }]);
    expect(await uploaded('inventory_ledger', rows, options)).toMatchObject({ id: same.id, status: 'committed' });
  });

  it('takes of two uploads of one file only one', async () => {
    const code = fresh('SKU');
    const rows = ['SKU,Description,Units_Per_Carton', `${code},One,1`];
    const [one, other] = [await uploaded('sku_master', rows), await uploaded('sku_master', rows)];
    await committed(one.id);
    const refused = await commit(other.id);
    expect(refused.statusCode).toBe(409);
    expect(await api.rows(`SELECT FROM wms.sku WHERE code = $1`, [code])).toHaveLength(1);
  });

  it('works out the least opening stock with which nothing is ever negative', async () => {
    const [sku, other] = [await newSku(admin, { lotTracked: false }), await newSku(admin)];
    const lot = await newLot(admin, other);
    const tag = fresh('T');
    const where = `${warehouse.code},${sku.code},`;
    const file = await uploaded(
      'inventory_ledger',
      [
        `${ledgerHeader},Units_In,Units_Out,storage_cartons_per_pallet,shipping_cartons_per_pallet`,
        `2025-03-03 09:00,${tag}-1,${where},SHIP,${tag}-1,,,,,,,7,,`,
        `2025-03-03 10:00,${tag}-2,${where},RECEIVE,${tag}-2,,,,,,5,,36,16`,
        `2025-03-03 11:00,${tag}-3,${where},SHIP,${tag}-3,,,,,,,8,,`,
        `2025-03-03 11:00,${tag}-4,${warehouse.code},${other.code},${lot.code},SHIP,${tag}-4,,1,,,,,,,`,
      ],
      { opening: 'least', fileName: `${tag}.csv` },
    );
    expect(file).toMatchObject({ rowsError: 0 });
    await committed(file.id);
    expect(await movements(`Opening stock for ${tag}`)).toMatchObject([{ kind: 'OPENING', units: '70' }]);
    const stock = await api.rows(`SELECT on_hand FROM wms.stock_balance WHERE sku_id = ANY ($1) ORDER BY 1`, [
      [sku.id, other.id],
    ]);
    expect(stock).toEqual([{ on_hand: '0' }, { on_hand: '0' }]);
  });
});
