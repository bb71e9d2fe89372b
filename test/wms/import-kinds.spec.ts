import { wms, type WarehouseView } from '@belay/wms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { fresh } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { commit, commitWhole, report, upload } from './importing.js';
import { newSku, newWarehouse } from './master-data.js';

describe('importing what a warehouse is configured by and billed', () => {
  let api: TestApi;
  let admin: TestApi;
  let warehouse: WarehouseView;

  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
    warehouse = await newWarehouse(admin);
  });
  afterAll(() => api.close());

  const into = (kind: string, options = {}) => ({ kind, warehouse: warehouse.code, ...options });

  async function faults(kind: string, rows: readonly string[], options = {}) {
    const { id } = await upload(admin, into(kind, options), rows.join('\n'));
    return (await report(admin, id)).issues.map(({ line, column, severity, code }) =>
      [line, column, severity, code].map(String).join(' '),
    );
  }

  const stacking =
    'warehouse,SKU,storage_cartons_per_pallet,shipping_cartons_per_pallet,max_stacking_height_cm,effective_date,end_date,notes';

  it('takes in how SKUs are stacked, and knows it the second time', async () => {
    const sku = await newSku(admin);
    const row = `${warehouse.code.toLowerCase()},${sku.code},36,16,180.5,2025-01-01,31/12/2025,`;
    const file = await upload(admin, into('warehouse_config', { dates: 'DMY' }), [stacking, row].join('\n'));
    await commitWhole(admin, file.id);
    const list = await admin.get(`/api/wms/pallet-specs?warehouse=${warehouse.id}&sku=${sku.id}`);
    expect(list).toMatchObject({
      items: [
        { storageCartonsPerPallet: 36, maxStackHeightMm: 1805, effectiveFrom: '2025-01-01', effectiveTo: '2025-12-31' },
      ],
    });
    const same = await upload(admin, into('warehouse_config', { dates: 'DMY' }), [stacking, row, ''].join('\n'));
    expect(same).toMatchObject({ rowsWarning: 1, rowsError: 0 });
    await commitWhole(admin, same.id);
    expect(await admin.get(`/api/wms/pallet-specs?warehouse=${warehouse.id}&sku=${sku.id}`)).toEqual(list);
  });

  it('names what is wrong with how SKUs are stacked', async () => {
    const sku = await newSku(admin);
    const taken = `${warehouse.code},${sku.code},36,16,,2025-01-01,2025-06-30,`;
    await commitWhole(admin, (await upload(admin, into('warehouse_config'), [stacking, taken].join('\n'))).id);
    expect(
      await faults('warehouse_config', [
        stacking,
        `${warehouse.code},${sku.code},36,16,,2025-06-30,,`,
        `${warehouse.code},NO SUCH,36,16,,2025-01-01,,`,
        `ELSEWHERE,${sku.code},36,16,,2026-01-01,,`,
        `${warehouse.code},${sku.code},0,16,,2026-01-01,,`,
        `${warehouse.code},${sku.code},36,16,,2026-01-02,2026-01-01,`,
        `${warehouse.code},${sku.code},36`,
      ]),
    ).toEqual([
      '2 effective_date error pallet-spec-overlap',
      '3 SKU error unknown-sku',
      '4 warehouse error other-warehouse',
      '5 storage_cartons_per_pallet error not-a-number',
      '6 end_date error not-valid',
      '7 null error cells-missing',
      '7 shipping_cartons_per_pallet error empty',
      '7 effective_date error empty',
    ]);
  });

  const prices = 'warehouse,cost_category,cost_name,cost_value,unit_of_measure,effective_date,end_date,notes';

  it('takes in prices as they are written, by what they count and not by their names', async () => {
    const file = await upload(
      admin,
      into('cost_master'),
      [
        `${prices},basis`,
        `${warehouse.code},storage,Storage cost per pallet / week,3.90,pallet/week,2025-01-01,,,`,
        `${warehouse.code},Carton,Pallet of cartons,0.951234,carton,45658,2025-12-31,,per_carton_in`,
      ].join('\n'),
    );
    await commitWhole(admin, file.id);
    const { items } = z
      .object({ items: z.array(z.object({}).loose()) })
      .parse(await admin.get(`/api/wms/rates?warehouse=${warehouse.id}`));
    expect(items).toMatchObject([
      {
        category: 'Carton',
        name: 'Pallet of cartons',
        basis: 'per_carton_in',
        effectiveFrom: '2025-01-01',
        effectiveTo: '2025-12-31',
      },
      {
        category: 'Storage',
        name: 'Storage cost per pallet / week',
        basis: 'pallet_week',
        currency: 'GBP',
        effectiveTo: null,
      },
    ]);
    expect(items.map(({ value }) => value)).toEqual(['0.951234', '3.90']);

    expect(
      await faults('cost_master', [
        `${prices},currency`,
        `${warehouse.code},Storage,Other storage,2.60,pallet/week,2025-06-01,,,`,
        `${warehouse.code},Parking,Yard,1.00,unit,2025-01-01,,,`,
        `${warehouse.code},Carton,Something,1.00,carton,2025-01-01,,,`,
        `${warehouse.code},Unit,Negative,-1.00,unit,2025-01-01,,,`,
        `${warehouse.code},Unit,Dollars,1.00,unit,2025-01-01,,,USD`,
        `${warehouse.code},Unit,Thousands,"1,000.00",unit,2025-01-01,,,`,
      ]),
    ).toEqual([
      '2 effective_date error rate-overlap',
      '3 cost_category error not-known',
      '4 unit_of_measure error not-known',
      '5 cost_value error not-valid',
      '6 currency error currency-mismatch',
      '7 cost_value error not-a-number',
    ]);
  });

  const billed =
    'Invoice Number,Warehouse,Billing Period Start,Billing Period End,Invoice Date,Due Date,Total Amount,Tax,category,name,quantity,rate,amount';

  it('takes in invoices with all their lines, each as a draft', async () => {
    const number = fresh('INV');
    const head = `${warehouse.code},2024-12-16,2025-01-15,2025-01-20,2025-02-19`;
    const rows = [
      billed,
      `${number},${head},54.60,9.10,storage,Storage,10,3.90,39.00`,
      `${number},${head},54.60,9.10,Unit,Handling,1,,6.50`,
      `${number}-B,${head},1.00,,Unit,Handling,1,,1.00`,
    ];
    const file = await upload(admin, into('invoice'), rows.join('\n'));
    expect(await report(admin, file.id)).toMatchObject({ rowsOk: 3, issues: [] });
    await commitWhole(admin, file.id);
    const { items } = z
      .object({
        items: z.array(z.object({ number: z.string(), net: z.string(), total: z.string(), status: z.string() })),
      })
      .parse(await admin.get(`/api/wms/invoices?search=${number}`));
    expect(items.sort((one, other) => (one.number < other.number ? -1 : 1))).toEqual([
      { number, net: '45.50', total: '54.60', status: 'draft' },
      { number: `${number}-B`, net: '1.00', total: '1.00', status: 'draft' },
    ]);
    expect(
      await faults('invoice', [
        billed,
        `${number}-C,${head},2.00,,Unit,Handling,1,,1.00`,
        `${number}-D,${head},1.00,,Parking,Yard,1,,1.00`,
        `${number}-E,${head},2.00,,Unit,One,1,,1.00`,
        `${number}-E,${warehouse.code},2024-12-17,2025-01-15,2025-01-20,2025-02-19,2.00,,Unit,Two,1,,1.00`,
      ]),
    ).toEqual([
      '2 Total Amount error not-valid',
      '3 category error not-known',
      '5 Billing Period Start error not-one-document',
    ]);
  });

  it('leaves SKUs that are there as they are, and takes none twice', async () => {
    const known = await newSku(admin, { description: 'As it is' });
    const other = fresh('NEW');
    const header = 'SKU,Description,Units_Per_Carton';
    const file = await upload(
      admin,
      { kind: 'sku_master' },
      [
        header,
        `${known.code.toLowerCase()},Otherwise,1`,
        `${other},One,1`,
        `${other.toLowerCase()},Two,2`,
        `${fresh('X')},,`,
      ].join('\n'),
    );
    expect((await report(admin, file.id)).issues).toMatchObject([
      { line: 2, severity: 'warning', code: 'known-already' },
      { line: 4, severity: 'error', code: 'repeated', detail: 'says the same thing as line 3' },
      { line: 5, column: 'Units_Per_Carton', code: 'empty' },
      { line: 5, column: 'Description', code: 'empty' },
    ]);
    expect((await commit(admin, file.id)).statusCode).toBe(409);
    await commitWhole(admin, file.id, { skipErrors: true });
    expect(await admin.get(`/api/wms/skus/${known.id}`)).toMatchObject({ description: 'As it is' });
    expect((await admin.send('GET', `/api/wms/skus/${other}`)).statusCode).toBe(404);
  });
});
