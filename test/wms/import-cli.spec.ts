import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { wms, type WarehouseView } from '@belay/wms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { wmsCommand } from '../../apps/cli/src/wms/wms.command.js';
import { fresh } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { newWarehouse } from './master-data.js';

describe('belay wms import', () => {
  let api: TestApi;
  let admin: TestApi;
  let warehouse: WarehouseView;
  let folder: string;
  let url: string;
  let token: string;

  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
    warehouse = await newWarehouse(admin);
    folder = await mkdtemp(join(tmpdir(), 'belay-cli-'));
    await api.app.listen(0, '127.0.0.1');
    url = await api.app.getUrl();
    token = String(admin.headers['authorization']).slice('Bearer '.length);
  });
  afterAll(async () => {
    await api.close();
    await rm(folder, { recursive: true });
  });

  async function run(file: string, ...options: string[]): Promise<string> {
    let told = '';
    const command = wmsCommand((text) => {
      told += text;
    });
    await command.parseAsync(['import', join(folder, file), '--url', url, '--token', token, ...options], {
      from: 'user',
    });
    return told;
  }

  it('takes a compressed sales file of a shop, SKUs first, and says the second time that it was there', async () => {
    const [one, other] = [fresh('A'), fresh('B')];
    const lines = [
      'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country',
      `${one},${one},LANTERN,6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom`,
      `C${one},${one.toLowerCase()},,-2,2010-12-01 09:41:00,3.39,17850.0,United Kingdom`,
      `${other},${other},"HEART, WHITE",7,2011-01-04 10:00:00,2.55,,EIRE`,
    ];
    await writeFile(join(folder, 'sales.csv.gz'), gzipSync(lines.join('\n')));
    const shop = ['--layout', 'online-retail', '--warehouse', warehouse.code];
    expect(await run('sales.csv', ...shop.slice(0, 2), '--kind', 'sku_master')).toMatch(
      /^2 rows: 2 ok.*\n2 rows done in /,
    );
    await run('sales.csv', ...shop, '--kind', 'warehouse_config');
    const ledger = ['--kind', 'inventory_ledger', '--opening', 'least', '--month', '2010-12'];
    expect(await run('sales.csv', ...shop, ...ledger)).toMatch(/^2 rows: 2 ok/);
    expect(await run('sales.csv', ...shop, ...ledger)).toContain(
      'The same file was committed before; nothing was changed.',
    );
    expect(
      await api.rows(
        `SELECT m.kind, m.counterparty, t.qty_delta AS units FROM wms.movement m
         JOIN wms.wms_inventory_transaction t ON t.movement_id = m.id WHERE m.warehouse_id = $1 ORDER BY t.seq`,
        [warehouse.id],
      ),
    ).toEqual([
      { kind: 'OPENING', counterparty: null, units: '6' },
      { kind: 'SHIP', counterparty: '17850', units: '-6' },
      { kind: 'RECEIVE', counterparty: '17850', units: '2' },
    ]);
  });

  it('tells what is wrong by line and column, and commits nothing then', async () => {
    const code = fresh('SKU');
    await writeFile(join(folder, 'skus.csv'), `SKU,Description,Units_Per_Carton\n${code},Good,1\n${code}-2,Bad,many`);
    const kind = ['--kind', 'sku_master'];
    const told = '  line 3, Units_Per_Carton: error not-a-number: "many" is not a whole number, zero or more\n';
    expect(await run('skus.csv', ...kind, '--check')).toBe(`2 rows: 1 ok, 0 with warnings, 1 with errors.\n${told}`);
    await expect(run('skus.csv', ...kind)).rejects.toThrow('The file has errors.');
    expect((await admin.send('GET', `/api/wms/skus/${code}`)).statusCode).toBe(404);
    expect(await run('skus.csv', ...kind, '--skip-errors')).toContain('2 rows done');
    expect((await admin.send('GET', `/api/wms/skus/${code}`)).statusCode).toBe(200);
  });
});
