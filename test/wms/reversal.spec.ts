import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { movementView, wms } from '@belay/wms';
import { newHolder, outcome } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { ifMatch } from './master-data.js';
import {
  newFloor,
  path,
  post,
  receiptOf,
  refusal,
  refused,
  reverse,
  shipmentOf,
  stockOf,
  withKey,
  type Floor,
} from './postings.js';

const because = { 'x-reason': 'Posted by mistake' };

describe('a reversal', () => {
  let api: TestApi;
  let admin: TestApi;
  let floor: Floor;

  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    floor = await newFloor(admin);
  });

  it('takes back every line, and is told of both', async () => {
    const line = { sku: floor.sku.code, lot: floor.lot.code, cartons: 3 };
    const lines = [line, { ...line, location: floor.bin, cartons: 5, looseUnits: 7, palletsReported: 1 }];
    const posted = await post(admin, 'receive', receiptOf(floor, {}, { lines }));
    const reversal = await reverse(admin, posted.id, { note: 'Twice' });
    expect(reversal).toMatchObject({ kind: 'REVERSAL', reference: posted.reference, backdated: false });
    expect(reversal.number).toContain('-REV-');
    expect(reversal.lines.map(({ lineNo, location, units }) => [lineNo, location, units])).toEqual([
      [1, 'DEFAULT', -180],
      [2, floor.bin, -307],
    ]);
    expect(Object.values(await stockOf(api, floor.lot))).toEqual([0, 0]);
    const before = await admin.get(`${path}/${posted.id}`, 200, movementView);
    expect(before.reversedByMovementId).toBe(reversal.id);
    expect(before.lines).toEqual(posted.lines);
    expect((await admin.get(`${path}/${reversal.id}`, 200, movementView)).reversesMovementId).toBe(posted.id);
    const facts = await api.rows(
      `SELECT name FROM platform.outbox WHERE body ->> 'movementId' = $1 AND body ->> 'reversesMovementId' = $2 ORDER BY 1`,
      [reversal.id, posted.id],
    );
    expect(facts).toEqual([{ name: 'wms.movement.posted' }, { name: 'wms.movement.reversed' }]);
  });

  it('happens once, however many ask for it at once', async () => {
    const { id } = await post(admin, 'receive', receiptOf(floor));
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => outcome(admin, 'POST', `${path}/${id}/reverse`, {}, withKey())),
    );
    expect(answers.toSorted()).toEqual(['201', ...Array.from({ length: 7 }, () => '409 already-reversed')]);
    const { reversedByMovementId } = await admin.get(`${path}/${id}`, 200, movementView);
    expect(await refusal(admin, `${id}/reverse`, {})).toMatchObject({ code: 'already-reversed', reversedByMovementId });
    expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 0 });
  });

  it('of a receipt whose goods have gone is refused, and says where', async () => {
    const { id } = await post(admin, 'receive', receiptOf(floor));
    await post(admin, 'ship', shipmentOf(floor, { cartons: 3 }));
    const { code, errors } = await refusal(admin, `${id}/reverse`, {});
    expect({ code, errors }).toMatchObject({
      code: 'insufficient-stock',
      errors: [{ lot: floor.lot.code, requestedUnits: 600, onHand: 420 }],
    });
  });

  it('of a shipment brings the goods back', async () => {
    await post(admin, 'receive', receiptOf(floor));
    const { id } = await post(admin, 'ship', shipmentOf(floor, { cartons: 10 }));
    await reverse(admin, id);
    expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 600 });
  });

  it('of a reversal makes it as if there had been none', async () => {
    const { id } = await post(admin, 'receive', receiptOf(floor));
    const reversal = await reverse(admin, id);
    await reverse(admin, reversal.id);
    expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 600 });
  });

  describe('at the time of what it reverses', () => {
    const then = { effectiveAt: '2026-01-05T09:00:00Z' };
    const atThatTime = { effectiveAt: 'reversed' };

    it('is as if it had never been', async () => {
      const posted = await post(admin, 'receive', receiptOf(floor, {}, then));
      const reversal = await reverse(admin, posted.id, atThatTime);
      expect(reversal.effectiveAt).toBe(posted.effectiveAt);
      expect(reversal.backdated).toBe(false);
    });

    it('needs a reason when something is known since', async () => {
      const { id } = await post(admin, 'receive', receiptOf(floor, {}, then));
      await post(admin, 'receive', receiptOf(floor));
      expect(await refused(admin, `${id}/reverse`, atThatTime)).toBe('409 backdating-not-allowed');
      expect((await reverse(admin.withHeaders(because), id, atThatTime)).backdated).toBe(true);
    });

    it('is refused where the goods were needed since', async () => {
      const { id } = await post(admin, 'receive', receiptOf(floor, {}, then));
      await post(admin, 'ship', shipmentOf(floor, {}, { effectiveAt: '2026-02-05T09:00:00Z' }));
      await post(admin, 'receive', receiptOf(floor));
      expect(await refusal(admin, `${id}/reverse`, atThatTime, because)).toMatchObject({
        code: 'later-balance-negative',
        firstAt: '2026-02-05T09:00:00.000Z',
      });
      await reverse(admin, id);
    });

    it('is refused when that is closed, and possible now', async () => {
      const { id } = await post(admin, 'receive', receiptOf(floor, {}, then));
      await api.rows(`UPDATE wms.warehouse SET closed_through = '2026-01-15' WHERE id = $1`, [floor.warehouse.id]);
      expect(await refused(admin, `${id}/reverse`, atThatTime)).toBe('409 period-closed');
      await reverse(admin, id);
    });

    it('is never before it', async () => {
      const { id } = await post(admin, 'receive', receiptOf(floor, {}, then));
      const before = { effectiveAt: '2026-01-05T08:59:59.999Z' };
      expect(await refused(admin, `${id}/reverse`, before)).toBe('422 invalid-request #/effectiveAt');
    });
  });

  it('is for who may reverse, at the site', async () => {
    const { id } = await post(admin, 'receive', receiptOf(floor));
    const clerk = await newHolder(api, admin, 'warehouse', floor.warehouse.siteId);
    expect(await refused(clerk, `${id}/reverse`, {})).toBe('403 permission-missing');
    const stranger = await newHolder(api, admin, 'supervisor', (await newFloor(admin)).warehouse.siteId);
    expect(await refused(stranger, `${id}/reverse`, {})).toBe('404 movement-not-found');
    const supervisor = await newHolder(api, admin, 'supervisor', floor.warehouse.siteId);
    await reverse(supervisor, id);
  });

  it.each(['PUT', 'DELETE'] as const)('is what %s is answered with', async (method) => {
    const { id } = await post(admin, 'receive', receiptOf(floor));
    const before = await api.rows(
      `SELECT * FROM wms.movement m JOIN wms.wms_inventory_transaction t ON t.movement_id = m.id`,
    );
    const [{ seq } = { seq: '1' }] = await api.rows<{ seq: string }>(
      `SELECT max(seq) AS seq FROM wms.wms_inventory_transaction`,
    );
    for (const thing of [`${path}/${id}`, `/api/wms/inventory-transactions/${seq}`]) {
      const response = await admin.send(method, thing, { units: 1 });
      expect(response.json()).toMatchObject({
        status: 405,
        code: 'immutable-ledger',
        hint: expect.stringContaining('reverse'),
      });
      expect(response.headers.allow).toContain('GET');
    }
    await admin.withHeaders(ifMatch(0)).patch(`${path}/${id}/attributes`, { vessel: 'X' });
    expect(
      await api.rows(`SELECT * FROM wms.movement m JOIN wms.wms_inventory_transaction t ON t.movement_id = m.id`),
    ).toEqual(before);
  });
});
