import { randomUUIDv7 } from 'node:crypto';
import { expect } from '@jest/globals';
import { wms, type LotView, type ReservationView, reservationView, type SkuView, type WarehouseView } from '@belay/wms';
import { problem } from '@belay/platform';
import pg from 'pg';
import { z } from 'zod';
import { eventually } from '../support/eventually.js';
import { fresh } from '../support/people.js';
import { TestApi, type TestApiOptions } from '../support/test-api.js';
import { defaultLocation, newLocation, newLot, newSku, newWarehouse } from './master-data.js';

export interface Put {
  readonly lot: { readonly id: string; readonly skuId: string };
  readonly units: number;
  /** The id of a location; DEFAULT unless said. */
  readonly place?: string;
  readonly status?: 'available' | 'quarantine' | 'damaged';
}

interface Details {
  readonly siteId?: string;
  readonly [field: string]: unknown;
}

/** A warehouse in London with an administrator, and short ways to fill it that go through the tables alone. */
export class Floor {
  private constructor(
    readonly api: TestApi,
    readonly admin: TestApi,
    readonly warehouse: WarehouseView,
    /** The id of DEFAULT. */
    readonly place: string,
  ) {}

  static async open(options: TestApiOptions = {}, details: Details = {}): Promise<Floor> {
    const api = await TestApi.start(options, wms);
    return Floor.of(api, await api.as('admin'), details);
  }

  private static async of(api: TestApi, admin: TestApi, details: Details): Promise<Floor> {
    const warehouse = await newWarehouse(admin, details);
    return new Floor(api, admin, warehouse, (await defaultLocation(admin, warehouse)).id);
  }

  /** Another warehouse of the same application. */
  another(details: Details = {}): Promise<Floor> {
    return Floor.of(this.api, this.admin, details);
  }

  close(): Promise<void> {
    return this.api.close();
  }

  async bin(details: object = {}): Promise<string> {
    return (await newLocation(this.admin, this.warehouse, details)).id;
  }

  sku(details: object = {}): Promise<SkuView> {
    return newSku(this.admin, details);
  }

  /** A lot of a SKU of its own, or of the one given; first received when it is said. */
  async lot(
    sku?: SkuView,
    { receivedAt, ...details }: { receivedAt?: string; [field: string]: unknown } = {},
  ): Promise<LotView> {
    const lot = await newLot(this.admin, sku ?? (await this.sku()), details);
    if (receivedAt !== undefined) await this.received(lot, receivedAt);
    return lot;
  }

  async received(lot: LotView, at: string): Promise<void> {
    await this.api.rows(
      `INSERT INTO wms.lot_stock (warehouse_id, lot_id, valid_from, storage_cartons_per_pallet, shipping_cartons_per_pallet,
                                  first_received_at, created_by)
       VALUES ($1, $2, '-infinity', 36, 16, $3, $4)`,
      [this.warehouse.id, lot.id, at, randomUUIDv7()],
    );
  }

  /** One movement of opening stock, or of whatever is taken away; returns its id. */
  async put(lines: readonly Put[], at = new Date().toISOString()): Promise<string> {
    const id = randomUUIDv7();
    await this.api.rows(
      `WITH m AS (
         INSERT INTO wms.movement (id, number, warehouse_id, kind, effective_at, actor_id)
         VALUES ($1, $2, $3, 'OPENING', $4, $5) RETURNING id, warehouse_id, effective_at, recorded_at)
       INSERT INTO wms.wms_inventory_transaction
         (movement_id, line_no, warehouse_id, location_id, sku_id, lot_id, stock_status, qty_delta, effective_at, recorded_at)
       SELECT m.id, l.line_no, m.warehouse_id, l.location_id, l.sku_id, l.lot_id, l.stock_status, l.units, m.effective_at,
              m.recorded_at
       FROM m, unnest($6::uuid[], $7::uuid[], $8::uuid[], $9::text[], $10::bigint[]) WITH ORDINALITY
         AS l (location_id, sku_id, lot_id, stock_status, units, line_no)`,
      [
        id,
        fresh('DOC'),
        this.warehouse.id,
        at,
        randomUUIDv7(),
        lines.map(({ place }) => place ?? this.place),
        lines.map(({ lot }) => lot.skuId),
        lines.map(({ lot }) => lot.id),
        lines.map(({ status }) => status ?? 'available'),
        lines.map(({ units }) => units),
      ],
    );
    return id;
  }

  /** A lot of a SKU of its own with so many units at DEFAULT. */
  async stocked(units: number, details: Readonly<Record<string, unknown>> = {}): Promise<LotView> {
    const lot = await this.lot(undefined, details);
    await this.put([{ lot, units }]);
    return lot;
  }

  /** On hand and reserved of the lot, over all its buckets. */
  async stock(lot: { readonly id: string }): Promise<{ onHand: number; reserved: number }> {
    const [row] = await this.api.rows<{ on_hand: string; reserved: string }>(
      `SELECT coalesce(sum(on_hand), 0) AS on_hand, coalesce(sum(reserved), 0) AS reserved FROM wms.stock_balance WHERE lot_id = $1`,
      [lot.id],
    );
    return { onHand: Number(row?.on_hand), reserved: Number(row?.reserved) };
  }

  /** Units on hand of the SKU. */
  async stockOf(skuId: string): Promise<number> {
    const [row] = await this.api.rows<{ on_hand: string }>(
      `SELECT coalesce(sum(on_hand), 0) AS on_hand FROM wms.stock_balance WHERE sku_id = $1`,
      [skuId],
    );
    return Number(row?.on_hand);
  }

  /** Does something while somebody else has the reservation locked. */
  async holding(reservationId: string, work: () => Promise<void>): Promise<void> {
    await this.beside(async (client) => {
      await client.query('BEGIN');
      await client.query(`SELECT FROM wms.reservation WHERE id = $1 FOR UPDATE`, [reservationId]);
      await work();
    });
  }

  /**
   * Somebody else promises all that is in the bucket, and commits it when `take` is called and others wait for the bucket;
   * afterwards nothing of that is left.
   */
  async takingAway(
    { lot, place }: { readonly lot: { readonly id: string }; readonly place: string },
    work: (take: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const reserved = (sql: string) =>
      `UPDATE wms.stock_balance SET reserved = ${sql} WHERE lot_id = '${lot.id}' AND location_id = '${place}'`;
    await this.beside(async (client) => {
      await client.query('BEGIN');
      await client.query(reserved('on_hand'));
      await work(async () => {
        await eventually(async () => {
          expect(await this.api.rows(`SELECT FROM pg_locks WHERE NOT granted`)).not.toEqual([]);
        });
        await client.query('COMMIT');
      });
      await client.query(reserved('0'));
    });
  }

  private async beside(work: (client: pg.Client) => Promise<void>): Promise<void> {
    const client = new pg.Client({ connectionString: this.api.config.DATABASE_URL });
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.end();
    }
  }

  reservation(skuId: string, units: number, details: object = {}): object {
    return {
      warehouse: this.warehouse.code,
      sku: skuId,
      units,
      source: { type: 'order', id: fresh('SO'), line: '1' },
      ...details,
    };
  }

  reserve(skuId: string, units: number, details: object = {}): Promise<ReservationView> {
    return keyed(this.admin).post(
      '/api/wms/reservations',
      this.reservation(skuId, units, details),
      201,
      reservationView,
    );
  }

  /** Whatever of the promises does not agree with the buckets that hold them. */
  async disagreements(): Promise<unknown[]> {
    return this.api.rows(
      `SELECT b.id::text AS what, b.reserved::text, coalesce(a.units, 0)::text AS held
       FROM wms.stock_balance b
       LEFT JOIN (SELECT balance_id, sum(qty - qty_fulfilled) AS units FROM wms.reservation_alloc GROUP BY 1) a
         ON a.balance_id = b.id
       WHERE b.reserved <> coalesce(a.units, 0) OR b.reserved > b.on_hand
       UNION ALL
       SELECT r.id::text, r.status, coalesce(a.units, 0)::text
       FROM wms.reservation r
       LEFT JOIN (SELECT reservation_id, sum(qty - qty_fulfilled) AS units, sum(qty_fulfilled) AS fulfilled
                  FROM wms.reservation_alloc GROUP BY 1) a ON a.reservation_id = r.id
       WHERE r.qty_fulfilled <> coalesce(a.fulfilled, 0)
          OR CASE WHEN r.status IN ('active', 'partially_fulfilled')
                  THEN r.qty <> r.qty_fulfilled + r.qty_short + coalesce(a.units, 0) ELSE coalesce(a.units, 0) <> 0 END
       UNION ALL
       SELECT b.id::text, b.on_hand::text, l.units::text
       FROM wms.stock_balance b
       JOIN (SELECT location_id, lot_id, stock_status, sum(qty_delta) AS units FROM wms.wms_inventory_transaction
             GROUP BY 1, 2, 3) l USING (location_id, lot_id, stock_status)
       WHERE b.on_hand <> l.units`,
    );
  }
}

/** The same, with a key that no other request has. */
export function keyed(api: TestApi): TestApi {
  return api.withHeaders({ 'idempotency-key': randomUUIDv7() });
}

/** The problem that a request ends in, with its members. */
export async function problemOf(
  api: TestApi,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const response = await keyed(api).send(method, path, body);
  problem.parse(response.json());
  const members = Object.entries(z.looseObject({}).parse(response.json()));
  return Object.fromEntries(members.filter(([name]) => !['type', 'title', 'detail', 'requestId'].includes(name)));
}
