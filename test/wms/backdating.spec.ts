import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { movementView, wms } from '@belay/wms';
import { newHolder } from '../support/people.js';
import { TestApi } from '../support/test-api.js';
import { dirtyFrom, settle } from './master-data.js';
import { newFloor, path, post, receiptOf, refusal, refused, shipmentOf, stockOf, type Floor } from './postings.js';

const minutes = (from: number) => new Date(Date.now() + from * 60_000).toISOString();
const because = { 'x-reason': 'The paper came late' };

describe('a time in the past', () => {
  let api: TestApi;
  let admin: TestApi;
  let supervisor: TestApi;
  let clerk: TestApi;
  let floor: Floor;

  beforeAll(async () => {
    api = await TestApi.with(wms);
    admin = await api.as('admin');
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    floor = await newFloor(admin);
    supervisor = await newHolder(api, admin, 'supervisor', floor.warehouse.siteId);
    clerk = await newHolder(api, admin, 'warehouse', floor.warehouse.siteId);
  });

  const at = (effectiveAt: string) => ({ effectiveAt });
  const receive = (effectiveAt: string, line: object = {}) =>
    post(admin.withHeaders(because), 'receive', receiptOf(floor, line, at(effectiveAt)));
  const ship = (effectiveAt: string, cartons: number) =>
    post(admin.withHeaders(because), 'ship', shipmentOf(floor, { cartons }, at(effectiveAt)));
  const shipRefused = (effectiveAt: string, cartons: number) =>
    refusal(admin, 'ship', shipmentOf(floor, { cartons }, at(effectiveAt)), because);

  it('is none for stock that nothing is known of since', async () => {
    const first = await post(clerk, 'receive', receiptOf(floor, {}, at('2024-06-03T09:00:00Z')));
    expect(first).toMatchObject({ backdated: false, effectiveAt: '2024-06-03T09:00:00.000Z' });
    const same = await post(clerk, 'ship', shipmentOf(floor, {}, at('2024-06-03T09:00:00Z')));
    expect(same.backdated).toBe(false);
  });

  it('needs the permission and a reason', async () => {
    const recent = minutes(-60);
    await receive(minutes(-30));
    const body = receiptOf(floor, {}, at(recent));
    expect(await refused(clerk, 'receive', body, because)).toBe('409 backdating-not-allowed');
    expect(await refusal(supervisor, 'receive', body)).toMatchObject({
      code: 'backdating-not-allowed',
      needs: ['a reason'],
    });
    const posted = await post(supervisor.withHeaders(because), 'receive', body);
    expect(posted.backdated).toBe(true);
    expect((await admin.get(`${path}/${posted.id}`, 200, movementView)).backdated).toBe(true);
    const noted = receiptOf(floor, {}, { effectiveAt: recent, note: 'The paper came late' });
    expect((await post(supervisor, 'receive', noted)).backdated).toBe(true);
  });

  it('of more than a year ago needs the permission to override', async () => {
    await receive(minutes(-30));
    const days = (count: number) => receiptOf(floor, {}, at(new Date(Date.now() - count * 86_400_000).toISOString()));
    expect((await post(supervisor.withHeaders(because), 'receive', days(365))).backdated).toBe(true);
    expect(await refusal(supervisor, 'receive', days(366), because)).toMatchObject({
      code: 'backdating-not-allowed',
      needs: ['the permission wms.period:override'],
    });
    expect((await post(admin.withHeaders(because), 'receive', days(366))).backdated).toBe(true);
  });

  it('is measured by the bucket alone', async () => {
    await receive(minutes(-30));
    const elsewhere = receiptOf(floor, { location: 'DEFAULT' }, at(minutes(-60)));
    expect((await post(clerk, 'receive', elsewhere)).backdated).toBe(false);
    const failed = receiptOf(floor, { qcFailed: true }, at(minutes(-60)));
    expect((await post(clerk, 'receive', failed)).backdated).toBe(false);
  });

  it('is not in a period that is closed', async () => {
    await api.rows(`UPDATE wms.warehouse SET closed_through = '2025-06-30' WHERE id = $1`, [floor.warehouse.id]);
    const inLondon = (effectiveAt: string) => refused(admin, 'receive', receiptOf(floor, {}, at(effectiveAt)), because);
    expect(await inLondon('2025-06-30T22:59:59.999Z')).toBe('409 period-closed');
    await receive('2025-06-30T23:00:00Z');
    expect(await inLondon('2025-06-01T12:00:00Z')).toBe('409 period-closed');
  });

  it('to come is at most five minutes away', async () => {
    await receive(minutes(4.9));
    expect(await refused(admin, 'receive', receiptOf(floor, {}, at(minutes(5.1))))).toBe(
      '422 invalid-request #/effectiveAt',
    );
  });

  it('leaves what was stock then to be taken, and no more', async () => {
    await receive('2026-01-01T12:00:00Z', { cartons: 10 });
    await ship('2026-02-01T12:00:00Z', 9);
    await receive('2026-03-01T12:00:00Z', { cartons: 5 });
    const { code, firstAt, bucket } = await shipRefused('2026-01-15T12:00:00Z', 2);
    const { sku, lot, bin } = floor;
    expect({ code, firstAt, bucket }).toEqual({
      code: 'later-balance-negative',
      firstAt: '2026-02-01T12:00:00.000Z',
      bucket: { sku: sku.code, lot: lot.code, location: bin, stockStatus: 'available' },
    });
    expect(await shipRefused('2025-12-31T12:00:00Z', 1)).toMatchObject({
      code: 'later-balance-negative',
      firstAt: '2025-12-31T12:00:00.000Z',
    });
    await ship('2026-01-15T12:00:00Z', 1);
    expect(await shipRefused('2026-01-15T12:00:00Z', 1)).toMatchObject({ code: 'later-balance-negative' });
    await ship('2026-03-15T12:00:00Z', 5);
    expect(await shipRefused('2026-03-15T12:00:00Z', 1)).toMatchObject({ code: 'insufficient-stock' });
    expect(await stockOf(api, lot)).toEqual({ [`${bin} available`]: 0 });
  });

  it('takes nothing that was promised since', async () => {
    await receive('2026-01-01T12:00:00Z', { cartons: 10 });
    await api.rows(`UPDATE wms.stock_balance SET reserved = 600 WHERE lot_id = $1`, [floor.lot.id]);
    expect(await shipRefused('2026-01-02T12:00:00Z', 1)).toMatchObject({ code: 'insufficient-stock' });
    await api.rows(`UPDATE wms.stock_balance SET reserved = 0 WHERE lot_id = $1`, [floor.lot.id]);
  });

  it('does not let goods that are still to come be shipped now', async () => {
    await receive(minutes(4));
    const { code } = await refusal(admin, 'ship', shipmentOf(floor));
    expect(code).toBe('later-balance-negative');
    expect(await stockOf(api, floor.lot)).toEqual({ [`${floor.bin} available`]: 600 });
  });

  it('of several lines is looked at for each', async () => {
    await receive('2026-01-01T12:00:00Z', { cartons: 10 });
    await receive('2026-02-01T12:00:00Z', { cartons: 10, location: 'DEFAULT' });
    const { sku, lot, bin } = floor;
    const line = { sku: sku.code, lot: lot.code, cartons: 1 };
    const lines = [
      { ...line, location: bin },
      { ...line, location: 'DEFAULT' },
    ];
    const body = shipmentOf(floor, {}, { lines, effectiveAt: '2026-01-15T12:00:00Z' });
    expect(await refusal(admin, 'ship', body, because)).toMatchObject({
      code: 'later-balance-negative',
      bucket: { location: 'DEFAULT' },
    });
    expect(await stockOf(api, lot)).toEqual({ 'DEFAULT available': 600, [`${bin} available`]: 600 });
  });

  it('has storage worked out anew from its day on, not only for its week', async () => {
    await receive('2025-01-20T12:00:00Z');
    await receive('2025-03-20T12:00:00Z');
    await settle(api, floor.warehouse);
    await receive('2025-02-03T12:00:00Z');
    await receive('2025-02-10T12:00:00Z');
    expect(await dirtyFrom(api, floor.warehouse)).toEqual({ [floor.lot.id]: '2025-02-03' });
  });

  it('costs little in a bucket with 50 later rows', async () => {
    for (let row = 0; row < 50; row += 1) await receive(`2026-01-01T12:00:${String(row).padStart(2, '0')}Z`);
    const times: number[] = [];
    for (let run = 0; run < 15; run += 1) {
      const began = performance.now();
      await receive('2025-12-31T12:00:00Z', { cartons: 1 });
      await ship('2025-12-31T13:00:00Z', 1);
      times.push((performance.now() - began) / 2);
    }
    expect(times.toSorted((one, other) => one - other)[7]).toBeLessThan(40);
  });
});
