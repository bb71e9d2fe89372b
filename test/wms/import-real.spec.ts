import { fileURLToPath } from 'node:url';
import { directory } from '@belay/directory';
import { wms, type WarehouseView } from '@belay/wms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { adventureWorks } from '../../apps/cli/src/wms/adventure-works.js';
import type { Layout } from '../../apps/cli/src/wms/layout.js';
import { onlineRetail } from '../../apps/cli/src/wms/online-retail.js';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { TestApi } from '../support/test-api.js';
import { commitWhole, report, upload, type ImportView } from './importing.js';
import { newWarehouse } from './master-data.js';

const data = fileURLToPath(new URL('../data', import.meta.url));

/** Data that nobody here has made up, by the way that everybody's files take. */
describe('importing real data', () => {
  let api: TestApi;
  let supervisor: TestApi;
  let admin: TestApi;
  let worker: RunningWorker;

  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
    supervisor = await api.as('supervisor');
    const on = { ...wms, defaultOn: true, features: wms.features.map((feature) => ({ ...feature, defaultOn: true })) };
    worker = await startWorker({ config: api.config, domains: [directory, on] });
  }, 60_000);
  afterAll(async () => {
    await worker.close();
    await api.close();
  });

  async function load(layout: Layout, path: string, { code }: WarehouseView, options = {}): Promise<ImportView> {
    const given = { warehouse: code };
    const skus = await upload(supervisor, { kind: 'sku_master' }, layout.sku_master(path, given));
    expect(await commitWhole(supervisor, skus.id)).toMatchObject({ rowsError: 0 });
    const stacking = { kind: 'warehouse_config', ...given };
    const specs = await upload(supervisor, stacking, layout.warehouse_config(path, given));
    expect(await commitWhole(supervisor, specs.id)).toMatchObject({ rowsError: 0 });
    const ledger = { kind: 'inventory_ledger', ...given, ...options };
    return upload(supervisor, ledger, layout.inventory_ledger(path, given));
  }

  function ledgerSums({ id }: WarehouseView) {
    return api.rows(
      `SELECT m.kind, t.stock_status AS status, count(DISTINCT m.id)::integer AS movements, sum(t.qty_delta)::integer AS units
       FROM wms.wms_inventory_transaction t JOIN wms.movement m ON m.id = t.movement_id
       WHERE t.warehouse_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`,
      [id],
    );
  }

  /** Where the ledger and the balances differ, and where stock was ever negative. */
  function defects({ id }: WarehouseView) {
    return api.rows(
      `SELECT location_id, lot_id, stock_status FROM (
         SELECT location_id, lot_id, stock_status, sum(qty_delta) AS units FROM wms.wms_inventory_transaction
         WHERE warehouse_id = $1 GROUP BY 1, 2, 3) l
       FULL JOIN (SELECT * FROM wms.stock_balance WHERE warehouse_id = $1) b USING (location_id, lot_id, stock_status)
       WHERE coalesce(l.units, 0) <> coalesce(b.on_hand, 0)
       UNION ALL
       SELECT location_id, lot_id, stock_status FROM (
         SELECT t.*, sum(qty_delta) OVER (PARTITION BY location_id, lot_id, stock_status ORDER BY effective_at, seq) AS balance
         FROM wms.wms_inventory_transaction t WHERE warehouse_id = $1) p WHERE balance < 0`,
      [id],
    );
  }

  it('receives what AdventureWorks bought, with what was rejected in quarantine', async () => {
    const warehouse = await newWarehouse(admin);
    const path = `${data}/adventureworks`;
    const file = await load(adventureWorks, path, warehouse);
    expect(await report(supervisor, file.id)).toMatchObject({ status: 'checked', rowsTotal: 9_267, rowsError: 0 });
    expect(await commitWhole(supervisor, file.id)).toMatchObject({ status: 'committed', rowsDone: 9_267 });

    const sums = [
      { kind: 'RECEIVE', status: 'available', movements: expect.any(Number), units: 2_254_599 },
      { kind: 'RECEIVE', status: 'quarantine', movements: expect.any(Number), units: 72_700 },
    ];
    expect(await ledgerSums(warehouse)).toEqual(sums);
    expect(
      await api.rows(
        `SELECT count(*)::integer AS orders, count(DISTINCT counterparty)::integer AS vendors FROM wms.movement
         WHERE warehouse_id = $1`,
        [warehouse.id],
      ),
    ).toEqual([{ orders: 4_012, vendors: 86 }]);
    expect(await defects(warehouse)).toEqual([]);

    const again = await upload(
      supervisor,
      { kind: 'inventory_ledger', warehouse: warehouse.code },
      adventureWorks.inventory_ledger(path, { warehouse: warehouse.code }),
    );
    expect(again).toMatchObject({ id: file.id, status: 'committed' });
    await commitWhole(supervisor, again.id);
    expect(await ledgerSums(warehouse)).toEqual(sums);
  }, 280_000);

  it('ships what a shop sold in three days, against the least opening stock, and a second time nothing', async () => {
    const warehouse = await newWarehouse(admin);
    const path = `${data}/online-retail/three-days.csv`;
    const file = await load(onlineRetail, path, warehouse, { opening: 'least' });
    expect(await report(supervisor, file.id)).toMatchObject({ status: 'checked', rowsTotal: 7_419, rowsError: 0 });
    expect(await commitWhole(supervisor, file.id)).toMatchObject({ status: 'committed', rowsDone: 7_419 });

    expect(
      await api.rows(
        `SELECT wms.local_date(effective_at, 'Europe/London') AS day, sum(-t.qty_delta)::integer AS units
         FROM wms.wms_inventory_transaction t JOIN wms.movement m USING (effective_at, warehouse_id)
         WHERE t.movement_id = m.id AND t.warehouse_id = $1 AND m.kind <> 'OPENING' GROUP BY 1 ORDER BY 1`,
        [warehouse.id],
      ),
    ).toEqual([
      { day: '2010-12-01', units: 26_814 },
      { day: '2010-12-02', units: 21_023 },
      { day: '2010-12-03', units: 14_830 },
    ]);
    const [opening, ...others] = await ledgerSums(warehouse);
    expect(opening).toMatchObject({ kind: 'OPENING', units: 73_887, movements: 4 });
    expect(others.reduce((sum, { movements }) => sum + Number(movements), 0)).toBe(418);
    expect(await defects(warehouse)).toEqual([]);

    const given = { warehouse: warehouse.code };
    const again = await upload(
      supervisor,
      { kind: 'inventory_ledger', opening: 'least', ...given },
      onlineRetail.inventory_ledger(path, given),
    );
    expect(again).toMatchObject({ id: file.id, status: 'committed' });
    expect(await ledgerSums(warehouse)).toEqual([opening, ...others]);
  }, 280_000);
});
