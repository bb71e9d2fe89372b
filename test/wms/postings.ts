import { randomUUID } from 'node:crypto';
import { problem } from '@belay/platform';
import {
  postedMovementView,
  type LotView,
  type PostedMovementView,
  type SkuView,
  type WarehouseView,
} from '@belay/wms';
import { z } from 'zod';
import { fresh } from '../support/people.js';
import type { TestApi } from '../support/test-api.js';
import { newLocation, newLot, newSku, newWarehouse } from './master-data.js';

/** With whatever members the problem and its errors have. */
const anyProblem = problem.extend({ errors: z.array(z.looseObject({ pointer: z.string() })).optional() });
type Refusal = z.infer<typeof anyProblem>;

export type PostingKind = 'receive' | 'ship' | 'adjust' | 'transfer';

export const path = '/api/wms/movements';
export const withKey = (key: string = randomUUID()) => ({ 'idempotency-key': key });

/** Posts it, and expects that this works. */
export function post(api: TestApi, kind: PostingKind, body: object, key?: string): Promise<PostedMovementView> {
  return api.withHeaders(withKey(key)).post(`${path}/${kind}`, body, 201, postedMovementView);
}

export function reverse(api: TestApi, id: string, body: object = {}): Promise<PostedMovementView> {
  return api.withHeaders(withKey()).post(`${path}/${id}/reverse`, body, 201, postedMovementView);
}

/** What is answered when it is refused, with whatever members the problem has. */
export async function refusal(api: TestApi, to: string, body: object, headers: object = {}): Promise<Refusal> {
  const response = await api.send('POST', `${path}/${to}`, body, { ...withKey(), ...headers });
  if (response.statusCode < 400) throw new Error(`POST ${to} was not refused: ${response.body}`);
  return anyProblem.parse(response.json());
}

/** Status and slug, with the pointers of everything that is wrong. */
export async function refused(api: TestApi, to: string, body: object, headers: object = {}): Promise<string> {
  const { status, code, errors = [] } = await refusal(api, to, body, headers);
  const pointers = code === 'invalid-request' ? errors.map(({ pointer }) => pointer) : [];
  return [`${status} ${code}`, ...pointers].join(' ');
}

/** A warehouse with one SKU whose lots have 60 to a carton, 36 cartons to a storage and 16 to a shipping pallet. */
export interface Floor {
  readonly warehouse: WarehouseView;
  readonly sku: SkuView;
  readonly lot: LotView;
  /** Code of a bin that is picked from. */
  readonly bin: string;
}

export async function newFloor(admin: TestApi, details: object = {}): Promise<Floor> {
  const warehouse = await newWarehouse(admin, details);
  const sku = await newSku(admin);
  const lot = await newLot(admin, sku, { storageCartonsPerPallet: 36, shippingCartonsPerPallet: 16 });
  const { code: bin } = await newLocation(admin, warehouse);
  return { warehouse, sku, lot, bin };
}

export function receiptOf({ warehouse, sku, lot, bin }: Floor, line: object = {}, details: object = {}): object {
  const lines = [{ sku: sku.code, lot: lot.code, location: bin, cartons: 10, ...line }];
  return { warehouse: warehouse.code, reference: fresh('CI'), lines, ...details };
}

export function shipmentOf({ warehouse, sku, lot, bin }: Floor, line: object = {}, details: object = {}): object {
  const lines = [{ sku: sku.code, lot: lot.code, location: bin, cartons: 1, ...line }];
  return { warehouse: warehouse.code, reference: fresh('SO'), lines, ...details };
}

/** On hand by location and status, of the lot. */
export async function stockOf(api: TestApi, lot: LotView): Promise<Record<string, number>> {
  const rows = await api.rows<{ bucket: string; on_hand: string }>(
    `SELECT o.code || ' ' || b.stock_status AS bucket, b.on_hand FROM wms.stock_balance b
     JOIN wms.location o ON o.id = b.location_id WHERE b.lot_id = $1 ORDER BY 1`,
    [lot.id],
  );
  return Object.fromEntries(rows.map(({ bucket, on_hand }) => [bucket, Number(on_hand)]));
}
