import { randomUUIDv7 } from 'node:crypto';
import { directory } from '@belay/directory';
import { Caller, Jobs, listOf, Queues } from '@belay/platform';
import { wms, type LotView, type PostedMovementView, type SkuView, type WarehouseView } from '@belay/wms';
import { startWorker, type RunningWorker } from '../../apps/worker/src/worker.js';
import { settleStorage } from '../../libs/wms/src/charges/catch-up.contract.js';
import { chargeView, type ChargeView } from '../../libs/wms/src/charges/charge.contract.js';
import { costView, type CostView } from '../../libs/wms/src/charges/cost.contract.js';
import { rateView, type RateView } from '../../libs/wms/src/rates/rate.contract.js';
import { storageLine, type StorageLine } from '../../libs/wms/src/storage/storage.contract.js';
import { fresh } from '../support/people.js';
import { TestApi, type TestApiOptions } from '../support/test-api.js';
import { newLot, newSku, newWarehouse } from './master-data.js';
import { post } from './postings.js';

export const STORAGE = 'Storage cost per pallet / week';

export interface Goods {
  readonly sku: SkuView;
  readonly lot: LotView;
}

/** A warehouse that costs something, by people who may do everything there, and the jobs that reckon it. */
export class Costing {
  private constructor(
    readonly api: TestApi,
    readonly admin: TestApi,
    /** Rates, costs and invoices, and no stock. */
    readonly finance: TestApi,
    private readonly worker: RunningWorker | undefined,
  ) {}

  static async open({ config, ...options }: TestApiOptions = {}): Promise<Costing> {
    // Whoever waits for a job asks often.
    const api = await TestApi.start({ ...options, config: { RATE_LIMIT_PER_MINUTE: 1_000_000, ...config } }, wms);
    return new Costing(api, await api.as('admin'), await api.as('finance'), undefined);
  }

  /** With the jobs done in the background. */
  static async working(options: TestApiOptions = {}): Promise<Costing> {
    const { api, admin, finance } = await Costing.open(options);
    const on = { ...wms, defaultOn: true, features: wms.features.map((one) => ({ ...one, defaultOn: true })) };
    return new Costing(api, admin, finance, await startWorker({ config: api.config, domains: [directory, on] }));
  }

  async close(): Promise<void> {
    await this.worker?.close();
    await this.api.close();
  }

  /** In London, in pounds, with periods from the 16th. */
  warehouse(details: Readonly<Record<string, unknown>> = {}): Promise<WarehouseView> {
    return newWarehouse(this.admin, details);
  }

  rate(warehouse: WarehouseView, details: object = {}): Promise<RateView> {
    return this.finance.post('/api/wms/rates', this.rateBody(warehouse, details), 201, rateView);
  }

  rateBody(warehouse: WarehouseView, details: object = {}): object {
    return {
      warehouse: warehouse.code,
      category: 'Storage',
      name: STORAGE,
      basis: 'pallet_week',
      value: '3.90',
      currency: 'GBP',
      effectiveFrom: '2024-01-01',
      ...details,
    };
  }

  /** A rate of events by the basis, of a name of its own. */
  eventRate(warehouse: WarehouseView, basis: string, value: string, details: object = {}): Promise<RateView> {
    return this.rate(warehouse, { category: 'Accessorial', name: fresh(basis), basis, value, ...details });
  }

  /** A lot of its own SKU, 60 units to a carton. */
  async goods(details: object = {}): Promise<Goods> {
    const sku = await newSku(this.admin);
    return { sku, lot: await newLot(this.admin, sku, { unitsPerCarton: 60, ...details }) };
  }

  async receive(
    warehouse: WarehouseView,
    { sku, lot }: Goods,
    cartons: number,
    at: string,
    { line = {}, ...details }: { line?: object; [name: string]: unknown } = {},
  ): Promise<PostedMovementView> {
    const stacking = { storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16 };
    const lines = [{ sku: sku.code, lot: lot.code, cartons, ...stacking, ...line }];
    const body = { warehouse: warehouse.code, reference: fresh('CI'), effectiveAt: at, note: 'late papers', lines };
    return post(this.admin, 'receive', { ...body, ...details });
  }

  async ship(
    warehouse: WarehouseView,
    { sku, lot }: Goods,
    cartons: number,
    at: string,
    { line = {}, ...details }: { line?: object; [name: string]: unknown } = {},
  ): Promise<PostedMovementView> {
    const lines = [{ sku: sku.code, lot: lot.code, location: 'DEFAULT', cartons, ...line }];
    const body = { warehouse: warehouse.code, reference: fresh('SO'), effectiveAt: at, note: 'late papers', lines };
    return post(this.admin, 'ship', { ...body, ...details });
  }

  /** Has the worker come to a slot of the cron. */
  async tick(name: string): Promise<void> {
    const data = { version: 1, requestId: 'tick', payload: { slot: new Date().toISOString() } };
    await this.api.app
      .get(Queues)
      .add('wms', { id: `${name}-${randomUUIDv7()}`, name, data, attempts: 1, backoffMs: 1 });
  }

  /** Has the worker bring the storage of the warehouse up to date. */
  async settle({ id: warehouseId }: WarehouseView): Promise<void> {
    await this.api.app.get(Jobs).addNow(Caller.system('a test'), settleStorage, { warehouseId });
  }

  costs(warehouse: WarehouseView, query = 'period=2024-12-16', by = this.finance): Promise<CostView> {
    return by.get(`/api/wms/costs?warehouse=${encodeURIComponent(warehouse.code)}&${query}`, 200, costView);
  }

  async charges(warehouse: WarehouseView, query = ''): Promise<ChargeView[]> {
    const path = `/api/wms/charges?warehouse=${warehouse.id}&limit=200&${query}`;
    return (await this.finance.get(path, 200, listOf(chargeView))).items;
  }

  async storage(warehouse: WarehouseView, query = ''): Promise<StorageLine[]> {
    const path = `/api/wms/storage-ledger?warehouse=${warehouse.id}&limit=200&${query}`;
    return (await this.finance.get(path, 200, listOf(storageLine))).items;
  }

  /** Runs the storage of the days through the API. */
  run(warehouse: WarehouseView, from: string, to = from, details: object = {}): Promise<unknown> {
    return this.finance.post('/api/wms/storage-runs', { warehouse: warehouse.code, from, to, ...details }, 201);
  }
}
