import type { Migration } from '@belay/platform';
import type { QueryRunner } from 'typeorm';
import { park, unpark } from '../support/park.js';

const columns = [
  'wms.reservation.policy',
  'wms.reservation.needed_on',
  'wms.reservation.min_shelf_life_days',
  'wms.stock_count_line.delta_qty',
];

/** What a reservation was promised by, so that it can be promised again, and what a count changed. */
export class ExtendReservation1764006930000 implements Migration {
  async up(q: QueryRunner): Promise<void> {
    await indexes(q);
    let known = false;
    for (const column of columns) known = (await unpark(q, { column })) || known;
    if (known) return;
    await q.query(`
      ALTER TABLE wms.reservation
        ADD COLUMN policy               text NOT NULL DEFAULT 'all_or_nothing' CONSTRAINT reservation_policy_is_known
                                        CHECK (policy IN ('all_or_nothing', 'allow_partial')),
        ADD COLUMN needed_on            date,
        ADD COLUMN min_shelf_life_days  integer CONSTRAINT reserved_shelf_life_is_not_negative
                                        CHECK (min_shelf_life_days >= 0)`);
    await q.query(`ALTER TABLE wms.stock_count_line ADD COLUMN delta_qty bigint`);
  }

  async down(q: QueryRunner): Promise<void> {
    for (const column of columns.toReversed()) await park(q, { column });
    await q.query(`DROP INDEX wms.reservation_by_source`);
    await q.query(`DROP INDEX wms.stock_count_line_by_bucket`);
  }
}

/** An order asks for all its reservations; a bucket for when it was counted last. */
async function indexes(q: QueryRunner): Promise<void> {
  await q.query(`CREATE INDEX reservation_by_source ON wms.reservation (source_type, source_id)`);
  await q.query(`CREATE INDEX stock_count_line_by_bucket ON wms.stock_count_line (location_id, lot_id, stock_status)`);
}
