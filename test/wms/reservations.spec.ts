import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { reservationView, type ReservationView } from '@belay/wms';
import { newHolder, outcome } from '../support/people.js';
import { Floor, keyed, problemOf } from './floor.js';

const path = '/api/wms/reservations';

describe('a reservation', () => {
  let floor: Floor;

  beforeAll(async () => {
    floor = await Floor.open();
  });
  afterAll(() => floor.close());

  const taken = ({ allocations }: ReservationView) => allocations.map(({ lot, units }) => `${lot} ${units}`);

  it('is promised stock, which is then no longer available', async () => {
    const sku = await floor.sku({ code: 'CS 008' });
    const lot = await floor.lot(sku, { code: 'A/B 8', expiresOn: '2099-12-31', receivedAt: '2025-01-06T09:30:00Z' });
    await floor.put([{ lot, units: 1020 }]);
    const source = { type: 'order', id: 'SO-9', line: '1' };
    const made = await floor.reserve('CS 008', 600, { source });
    expect(made).toMatchObject({
      status: 'active',
      warehouse: floor.warehouse.code,
      sku: 'CS 008',
      lot: null,
      source,
      policy: 'all_or_nothing',
      strategy: 'fifo',
      units: 600,
      fulfilledUnits: 0,
      shortUnits: 0,
      allocations: [{ location: 'DEFAULT', lot: 'A/B 8', units: 600, fulfilledUnits: 0, expiresOn: '2099-12-31' }],
    });
    expect(await floor.stock(lot)).toEqual({ onHand: 1020, reserved: 600 });
    expect(await floor.admin.get(`${path}/${made.id}`, 200, reservationView)).toEqual(made);
    expect(
      await floor.api.rows(`SELECT name, body FROM platform.outbox WHERE body ->> 'reservationId' = $1`, [made.id]),
    ).toEqual([
      {
        name: 'wms.reservation.changed',
        body: {
          reservationId: made.id,
          warehouseId: floor.warehouse.id,
          skuId: sku.id,
          lotId: null,
          source,
          change: 'reserved',
          status: 'active',
          units: 600,
          fulfilledUnits: 0,
          shortUnits: 0,
        },
      },
    ]);
  });
});
void [randomUUIDv7, newHolder, outcome, keyed, problemOf];
