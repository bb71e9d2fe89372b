import { randomUUIDv7 } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Stockroom } from './stockroom.js';

describe('rates', () => {
  let room: Stockroom;
  let made = 0;

  const rate = (name: string, valid: string, facts: Record<string, unknown> = {}) =>
    room.insert('cost_rate', {
      warehouse_id: room.warehouse.id,
      category: 'Carton',
      name,
      basis: 'per_carton_in',
      value: '1.20',
      currency: 'GBP',
      valid,
      ...facts,
    });
  const storage = (name: string, valid: string, facts: Record<string, unknown> = {}) =>
    rate(name, valid, { category: 'Storage', basis: 'pallet_week', ...facts });
  const newName = () => `Rate ${(made += 1)}`;
  const charge = (rateId: string, on: string) =>
    room.rows(
      `INSERT INTO wms.cost_charge (warehouse_id, category, name, rate_id, quantity, rate, amount, currency, charge_on,
         period_start, period_end, state, dedupe_key)
       SELECT warehouse_id, category, name, id, 2, value, round(2 * value, 2), currency, $2::date, $2::date, $2::date + 30, 'final',
              'test:' || gen_random_uuid()
       FROM wms.cost_rate WHERE id = $1`,
      [rateId, on],
    );
  const change = (rateId: string, set: string) =>
    room.refusal(room.rows(`UPDATE wms.cost_rate SET ${set} WHERE id = $1`, [rateId]));

  beforeAll(async () => {
    room = await Stockroom.open(34);
  });
  afterAll(() => room.close());

  it('of a name are valid one after the other', async () => {
    const name = newName();
    await rate(name, '[2025-01-01,2025-02-01)');
    await rate(name, '[2025-02-01,2025-03-01)');
    for (const valid of [
      '[2025-01-31,2025-02-02)',
      '[2024-01-01,2025-01-02)',
      '[2025-02-28,)',
      '[2024-12-01,2026-01-01)',
    ]) {
      expect(await room.refusal(rate(name.toUpperCase(), valid))).toEqual({
        code: '23P01',
        constraint: 'rates_of_a_name_do_not_overlap',
      });
    }
    await rate(name, '[2025-03-01,)');
    await rate(name, '[2025-01-15,2025-01-20)', { warehouse_id: (await room.makeWarehouse('OTHER')).id });
  });

  it('of storage are one at a time, whatever they are called', async () => {
    await storage(newName(), '[2025-01-01,2025-02-01)');
    expect(await room.refusal(storage(newName(), '[2025-01-31,)'))).toEqual({
      code: '23P01',
      constraint: 'one_storage_rate_is_valid_at_a_time',
    });
    await storage(newName(), '[2025-02-01,)');
    await storage(newName(), '[2025-01-15,)', { params: { tier: '6+ months' } });
    await rate(newName(), '[2025-01-15,)');
  });

  it('never overlap, however many are written at the same moment', async () => {
    const name = newName();
    const clients = Array.from({ length: 32 }, (_, day) => {
      const from = new Date(Date.UTC(2025, 5, 1 + (day % 8))).toISOString().slice(0, 10);
      return room.refusal(rate(name, `[${from},${from.slice(0, 8)}20)`));
    });
    const ends = await Promise.all(clients);
    expect(ends.filter((end) => end.code === undefined)).toHaveLength(1);
    // Two that wait for each other is how the database sees some of the overlaps.
    expect(ends.filter((end) => end.code !== undefined && end.code !== '23P01' && end.code !== '40P01')).toEqual([]);
  });

  it.each(['empty', '[2025-01-01,2025-01-01)', '(,2025-01-01)', '[-infinity,2025-01-01)'])(
    'begin on a day: %s is refused',
    async (valid) => {
      expect(await room.refusal(rate(newName(), valid))).toMatchObject({ constraint: 'rate_is_valid_from_a_day' });
    },
  );

  it('are not negative', async () => {
    expect(await room.refusal(rate(newName(), '[2025-01-01,)', { value: '-0.000001' }))).toMatchObject({
      constraint: 'rate_value_is_not_negative',
    });
    await rate(newName(), '[2025-01-01,)', { value: '0' });
  });

  describe('that were used', () => {
    const frozen = { code: 'WM004', constraint: 'used_rate_is_frozen' };

    it('stay as they are, and those that were not may change', async () => {
      const id = await rate(newName(), '[2025-01-01,2026-01-01)');
      expect(await change(id, `value = 2`)).toEqual({});
      await charge(id, '2025-03-10');
      for (const set of [
        `value = 3`,
        `name = 'other'`,
        `category = 'Unit'`,
        `basis = 'per_unit'`,
        `currency = 'USD'`,
        `params = '{"on": "SHIP"}'`,
        `valid = '[2025-01-02,2026-01-01)'`,
        `valid = '[2025-01-01,2026-01-02)'`,
        `valid = '[2025-01-01,)'`,
        `valid = '[2025-01-01,2025-03-10)'`,
      ]) {
        expect({ set, ...(await change(id, set)) }).toEqual({ set, ...frozen });
      }
      expect(await change(id, `notes = 'as agreed', unit_label = 'carton'`)).toEqual({});
      expect(await change(id, `valid = '[2025-01-01,2025-03-11)'`)).toEqual({});
      expect(await room.refusal(room.rows(`DELETE FROM wms.cost_rate WHERE id = $1`, [id]))).toMatchObject({
        constraint: 'charge_has_a_rate',
      });
    });

    it('end and are succeeded in one transaction', async () => {
      const name = newName();
      const id = await rate(name, '[2025-01-01,)');
      await charge(id, '2025-03-10');
      await room.transaction(async (client) => {
        const successor = randomUUIDv7();
        await client.query(`UPDATE wms.cost_rate SET valid = '[2025-01-01,2025-04-01)' WHERE id = $1`, [id]);
        await client.query(
          `INSERT INTO wms.cost_rate (id, warehouse_id, category, name, basis, value, currency, valid, created_by)
           SELECT $2, warehouse_id, category, name, basis, 1.50, currency, '[2025-04-01,)', created_by
           FROM wms.cost_rate WHERE id = $1`,
          [id, successor],
        );
        await client.query(`UPDATE wms.cost_rate SET superseded_by = $2 WHERE id = $1`, [id, successor]);
      });
      expect(
        await room.rows(
          `SELECT value, valid::text, superseded_by IS NOT NULL AS superseded FROM wms.cost_rate WHERE name = $1 ORDER BY valid`,
          [name],
        ),
      ).toEqual([
        { value: '1.200000', valid: '[2025-01-01,2025-04-01)', superseded: true },
        { value: '1.500000', valid: '[2025-04-01,)', superseded: false },
      ]);
    });

    it('are frozen by a charge that is still under way', async () => {
      const id = await rate(newName(), '[2025-01-01,)');
      const charging = await room.pool.connect();
      await charging.query('BEGIN');
      await charging.query(`SELECT FROM wms.cost_rate WHERE id = $1 FOR KEY SHARE`, [id]);
      await charging.query(
        `INSERT INTO wms.cost_charge (warehouse_id, category, name, rate_id, quantity, rate, amount, currency, charge_on,
           period_start, period_end, state, dedupe_key)
         VALUES ($2, 'Carton', 'x', $1, 1, 1.2, 1.2, 'GBP', '2025-03-10', '2025-02-16', '2025-03-15', 'final', 'under way')`,
        [id, room.warehouse.id],
      );
      let done = false;
      const changed = change(id, `value = 9`).finally(() => {
        done = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(done).toBe(false);
      await charging.query('COMMIT');
      charging.release();
      expect(await changed).toEqual(frozen);
    });
  });

  describe('of stacking', () => {
    it('do not overlap either', async () => {
      const sku = await room.sku(newName());
      const spec = (valid: string) =>
        room.insert('pallet_spec', {
          warehouse_id: room.warehouse.id,
          sku_id: sku,
          storage_cartons_per_pallet: 36,
          shipping_cartons_per_pallet: 16,
          valid,
        });
      await spec('[2025-01-01,2025-06-01)');
      expect(await room.refusal(spec('[2025-05-31,)'))).toEqual({
        code: '23P01',
        constraint: 'pallet_specs_do_not_overlap',
      });
      await spec('[2025-06-01,)');
    });
  });
});
