import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LocationView, LotView, SkuView, WarehouseView } from '@belay/wms';
import { fresh } from '../support/people.js';
import { Costing } from './costing.js';
import { commit, commitWhole, report, upload } from './importing.js';
import { newLocation, newLot, newSku } from './master-data.js';
import { post } from './postings.js';

const header =
  'Timestamp,Transaction_ID,Warehouse,SKU,Shipment,Transaction_Type,Reference_ID,Cartons_In,Cartons_Out,Units_In,Units_Out,' +
  'shipping_pallets_out,Location,Stock_Status,Reason_Code,Container_Number,Inbound_Type,Ship_Mode,Reverses,Notes,' +
  'storage_cartons_per_pallet,shipping_cartons_per_pallet';

interface Cells {
  readonly at: string;
  readonly document: string;
  readonly kind: string;
  readonly sku: SkuView;
  readonly [column: string]: string | number | SkuView;
}

/** Movements that are posted together are what they would be if each was posted by itself. */
describe('documents of a file', () => {
  let costing: Costing;
  let sku: SkuView;
  let other: SkuView;
  let lot: LotView;

  beforeAll(async () => {
    costing = await Costing.open();
    sku = await newSku(costing.admin);
    lot = await newLot(costing.admin, sku, { unitsPerCarton: 60 });
    other = await newSku(costing.admin, { lotTracked: false });
  });
  afterAll(() => costing.close());

  const rowOf = ({ code }: WarehouseView, { at, document, kind, sku: { code: goods }, ...cells }: Cells) => {
    const of = (name: string) => {
      const value = cells[name] ?? '';
      return typeof value === 'object' ? value.code : value;
    };
    const first = [at, document, code, goods, of('lot'), kind, of('reference'), of('in'), of('out')];
    const second = [of('unitsIn'), of('unitsOut'), of('pallets'), of('location'), of('status'), of('reason')];
    const third = [
      of('container'),
      of('inbound'),
      of('mode'),
      of('reverses'),
      of('note'),
      of('storage'),
      of('shipping'),
    ];
    return [...first, ...second, ...third].join(',');
  };

  async function load(warehouse: WarehouseView, documents: readonly (readonly Cells[])[], options = {}) {
    const rows = documents.flat().map((cells) => rowOf(warehouse, cells));
    const file = { kind: 'inventory_ledger', warehouse: warehouse.code };
    const { id } = await upload(costing.admin, file, [header, ...rows].join('\n'));
    const { issues } = await report(costing.admin, id);
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    return commitWhole(costing.admin, id, options);
  }

  async function priced(): Promise<{ warehouse: WarehouseView; bin: LocationView }> {
    const warehouse = await costing.warehouse();
    const bin = await newLocation(costing.admin, warehouse, { code: 'BIN-1' });
    const rate = (basis: string, value: string, details: object = {}) =>
      costing.eventRate(warehouse, basis, value, { name: basis, ...details });
    await rate('per_carton_in', '0.35');
    await rate('per_shipment', '2.50');
    await rate('per_container', '825', { params: { inboundType: 'CONTAINER_40' } });
    // Nobody knows what units cost after January.
    await rate('per_unit', '0.01', { effectiveTo: '2025-01-31' });
    return { warehouse, bin };
  }

  /** All that was written, without what can only differ. */
  async function written({ id, code }: WarehouseView) {
    const rows = (sql: string) => costing.api.rows(sql, [id]);
    return {
      movements: await rows(
        `SELECT replace(m.number, '${code}', 'W') AS number, m.kind, m.reason_code, m.reference, m.counterparty,
                m.container_number, m.inbound_type, m.ship_mode, m.effective_at, m.source_type, m.backdated, a.notes,
                r.reference AS reversed, m.actor_id,
                (SELECT string_agg(l.actor || ' ' || l.operation || ' ' || coalesce(l.reason, ''), ',') FROM platform.audit_log l
                 WHERE l.record = jsonb_build_object('id', m.id) AND l.table_name = 'movement') AS logged
         FROM wms.movement m LEFT JOIN wms.movement_attr a ON a.movement_id = m.id
         LEFT JOIN wms.movement r ON r.id = m.reverses_movement_id WHERE m.warehouse_id = $1 ORDER BY m.number`,
      ),
      ledger: await rows(
        `SELECT replace(m.number, '${code}', 'W') AS number, t.line_no, o.code AS location, t.lot_id, t.stock_status, t.qty_delta,
                t.pallets_reported, t.pallets_computed, t.effective_at = m.effective_at AS at, t.txid = m.txid AS with_it
         FROM wms.wms_inventory_transaction t JOIN wms.movement m ON m.id = t.movement_id
         JOIN wms.location o ON o.id = t.location_id WHERE t.warehouse_id = $1 ORDER BY t.seq`,
      ),
      charges: await rows(
        `SELECT replace(m.number, '${code}', 'W') AS number, c.category, c.name, c.lot_id, c.quantity, c.rate, c.amount, c.charge_on,
                c.period_start, c.state, c.note, c.adjusts_charge_id IS NULL AS is_first
         FROM wms.cost_charge c JOIN wms.movement m ON m.id = c.movement_id WHERE c.warehouse_id = $1
         ORDER BY m.number, c.name, c.lot_id, c.amount`,
      ),
      facts: await rows(
        `SELECT o.name, replace(m.number, '${code}', 'W') AS number, o.actor,
                o.body - 'movementId' - 'warehouseId' - 'number' - 'reversesMovementId' AS body
         FROM platform.outbox o JOIN wms.movement m ON m.id::text = o.body ->> 'movementId'
         WHERE m.warehouse_id = $1 ORDER BY m.number, o.name`,
      ),
      stacking: await rows(
        `SELECT lot_id, storage_cartons_per_pallet, shipping_cartons_per_pallet, first_received_at, m.reference
         FROM wms.lot_stock s JOIN wms.movement m ON m.id = s.source_movement_id WHERE s.warehouse_id = $1 ORDER BY lot_id`,
      ),
      counters: await rows(`SELECT kind, on_date, last_no FROM wms.doc_counter WHERE warehouse_id = $1 ORDER BY 1, 2`),
      stock: await rows(
        `SELECT o.code, b.lot_id, b.stock_status, b.on_hand, b.reserved FROM wms.stock_balance b
         JOIN wms.location o ON o.id = b.location_id WHERE b.warehouse_id = $1 ORDER BY 1, 2, 3`,
      ),
      dirty: await rows(`SELECT lot_id, from_date FROM wms.storage_dirty WHERE warehouse_id = $1 ORDER BY 1`),
    };
  }

  it('are posted together as they are one by one, with their numbers, charges, facts and papers', async () => {
    const tag = fresh('T');
    const ids = { lot: lot.code };
    const [container, stacking] = [
      { container: 'CSQU3054383', inbound: 'CONTAINER_40' },
      { storage: 36, shipping: 16 },
    ];
    const documents: Cells[][] = [
      [{ at: '2025-01-06T09:00:00Z', document: '1', kind: 'RECEIVE', sku, ...ids, in: 40, ...container, ...stacking }],
      // The container was charged already, and the lot is stacked as it was first said.
      [
        {
          at: '2025-01-06T09:30:00Z',
          document: '2',
          kind: 'RECEIVE',
          sku,
          ...ids,
          in: 80,
          ...container,
          storage: 9,
          shipping: 9,
        },
      ],
      [
        { at: '2025-01-06T09:30:00Z', document: '3', kind: 'RECEIVE', sku: other, in: 9, ...stacking, note: 'torn' },
        {
          at: '2025-01-06T09:30:00Z',
          document: '3',
          kind: 'RECEIVE',
          sku: other,
          in: 2,
          ...stacking,
          status: 'quarantine',
        },
        {
          at: '2025-01-06T09:30:00Z',
          document: '3',
          kind: 'RECEIVE',
          sku: other,
          in: 4,
          ...stacking,
          location: 'BIN-1',
        },
      ],
      [{ at: '2025-01-07T10:00:00Z', document: '4', kind: 'SHIP', sku, ...ids, out: 17, mode: 'PALLETS' }],
      [{ at: '2025-01-07T12:00:00Z', document: '5', kind: 'REVERSAL', sku, ...ids, in: 17, reverses: '4' }],
      [
        { at: '2025-01-08T10:00:00Z', document: '6', kind: 'SHIP', sku, ...ids, out: 5, pallets: 3, mode: 'PALLETS' },
        { at: '2025-01-08T10:00:00Z', document: '6', kind: 'SHIP', sku: other, unitsOut: 7, mode: 'PALLETS' },
      ],
      [{ at: '2025-01-09T10:00:00Z', document: '7', kind: 'ADJUST_OUT', sku: other, unitsOut: 3, reason: 'damage' }],
      [
        { at: '2025-01-09T11:00:00Z', document: '8', kind: 'TRANSFER', sku: other, out: 2 },
        { at: '2025-01-09T11:00:00Z', document: '8', kind: 'TRANSFER', sku: other, in: 2, location: 'BIN-1' },
      ],
      [{ at: '2025-02-03T10:00:00Z', document: '9', kind: 'SHIP', sku, ...ids, out: 1 }],
    ].map((lines) =>
      lines.map((line) => ({ ...line, document: `${tag}-${line.document}`, reference: `${tag}-${line.document}` })),
    );
    const named = documents.map((lines) =>
      lines.map((line) => ('reverses' in line ? { ...line, reverses: `${tag}-4` } : line)),
    );

    const [together, apart, skipping] = [await priced(), await priced(), await priced()];
    await load(together.warehouse, named);
    await load(skipping.warehouse, named, { skipErrors: true });
    // What is taken back is in the same file, and still posted by itself: a reversal always is.
    const files = [...named.slice(0, 3).map((one) => [one]), named.slice(3, 5), ...named.slice(5).map((one) => [one])];
    for (const file of files) await load(apart.warehouse, file);
    const expected = await written(apart.warehouse);
    expect(expected.movements).toHaveLength(named.length);
    expect(expected.movements[0]).toMatchObject({ logged: expect.stringContaining('INSERT Import of') });
    expect(expected.charges.filter(({ name }) => name === 'per_container')).toHaveLength(1);
    expect(expected.charges.filter(({ state }) => state === 'unrated')).toHaveLength(1);
    expect(await written(together.warehouse)).toEqual(expected);
    expect(await written(skipping.warehouse)).toEqual(expected);
  });

  it('are told apart when the ledger does not take them together', async () => {
    const { warehouse } = await priced();
    const goods = await newSku(costing.admin, { lotTracked: false, defaultUnitsPerCarton: 1 });
    const at = (hour: number) => `2025-01-06T${String(hour).padStart(2, '0')}:00:00Z`;
    const shipped = (document: string, hour: number, out: number): Cells[] => {
      const name = `${document}-${hour}`;
      return [{ at: at(hour), document: name, reference: name, kind: 'SHIP', sku: goods, out }];
    };
    const tag = fresh('T');
    const received = { document: `${tag}-0`, reference: tag, kind: 'RECEIVE', sku: goods, storage: 36, shipping: 16 };
    await load(warehouse, [[{ ...received, at: at(1), in: 100 }]]);

    const file = { kind: 'inventory_ledger', warehouse: warehouse.code };
    const documents = [2, 3, 4, 5, 6].map((hour) => shipped(tag, hour, 10));
    const rows = documents.flat().map((cells) => rowOf(warehouse, cells));
    const { id } = await upload(costing.admin, file, [header, ...rows].join('\n'));
    // Somebody takes most of it before the commit: two of the five can still be had.
    const taken = { warehouse: warehouse.code, reference: fresh('SO'), effectiveAt: at(12) };
    await post(costing.admin, 'ship', { ...taken, lines: [{ sku: goods.code, location: 'DEFAULT', looseUnits: 75 }] });

    expect((await commit(costing.admin, id)).statusCode).toBe(409);
    expect(await costing.api.rows(`SELECT FROM wms.movement WHERE reference LIKE $1`, [`${tag}-%`])).toEqual([]);
    const { issues } = await report(costing.admin, id);
    expect(issues.map(({ line, code }) => [line, code])).toEqual([[6, 'insufficient-stock']]);

    const again = await upload(costing.admin, file, [header, ...rows, ''].join('\n'));
    expect(again.rowsError).toBe(1);
    await commitWhole(costing.admin, id, { skipErrors: true });
    expect(
      await costing.api.rows(`SELECT reference FROM wms.movement WHERE reference LIKE $1 ORDER BY 1`, [`${tag}-%`]),
    ).toEqual([{ reference: `${tag}-2` }, { reference: `${tag}-3` }]);
    const told = (await report(costing.admin, id)).issues.filter(({ severity }) => severity === 'error');
    expect(told.map(({ line }) => line)).toEqual([4, 5, 6]);
  });
});
