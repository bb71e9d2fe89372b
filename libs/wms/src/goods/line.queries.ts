import { statement } from '@belay/platform';
import type { LotStatus } from './lot.contract.js';
import type { PickStrategy } from '../stock/pick.rules.js';
import type { LocationType } from '../warehouses/location.contract.js';

export interface KnownSku {
  readonly id: string;
  readonly code: string;
  readonly isActive: boolean;
  readonly lotTracked: boolean;
  readonly expiryTracked: boolean;
  readonly pickStrategy: PickStrategy;
  readonly minShelfLifeDays: number | null;
  readonly defaultUnitsPerCarton: number;
}

export interface KnownLot {
  readonly id: string;
  readonly skuId: string;
  readonly code: string;
  readonly unitsPerCarton: number;
  readonly status: LotStatus;
  readonly expiresOn: string | null;
  readonly storageCartonsPerPallet: number | null;
  readonly shippingCartonsPerPallet: number | null;
}

export interface KnownLocation {
  readonly id: string;
  readonly code: string;
  readonly type: LocationType;
  readonly isPickable: boolean;
  readonly isActive: boolean;
}

/** What was found of a line; null is what was not, or was not asked for. */
export interface KnownLine {
  readonly place: number;
  readonly sku: KnownSku | null;
  readonly lot: KnownLot | null;
  readonly location: KnownLocation | null;
}

const skuFacts = `jsonb_build_object('id', s.id, 'code', s.code, 'isActive', s.is_active, 'lotTracked', s.lot_tracked,
  'expiryTracked', s.expiry_tracked, 'pickStrategy', s.pick_strategy, 'minShelfLifeDays', s.min_shelf_life_days,
  'defaultUnitsPerCarton', s.default_units_per_carton)`;
const lotFacts = `jsonb_build_object('id', l.id, 'skuId', l.sku_id, 'code', l.code, 'unitsPerCarton', l.units_per_carton,
  'status', l.status, 'expiresOn', l.expires_on, 'storageCartonsPerPallet', l.storage_cartons_per_pallet,
  'shippingCartonsPerPallet', l.shipping_cartons_per_pallet)`;
const locationFacts = `jsonb_build_object('id', o.id, 'code', o.code, 'type', o.type, 'isPickable', o.is_pickable,
  'isActive', o.is_active)`;

/**
 * Lines of a document in a warehouse ($1, unless it is another expression): each by the ids or codes of its SKU ($2, $3),
 * lot ($4, $5) and location ($6, $7); see `idsAndCodes`. A lot's code means something only beside its SKU, a lot's id also
 * alone. A SKU without lots has its lot `-`. A line without a location is at DEFAULT, or when $8 says that goods come in, in
 * staging where there is such.
 *
 * Planned once, they are found in the same way however many there are: the server does not look into what it materialises.
 */
export function knownLines(planned: 'once' | 'each time', warehouse = '$1::uuid'): string {
  return `
   WITH given AS ${planned === 'once' ? 'MATERIALIZED' : 'NOT MATERIALIZED'} (
     SELECT ${warehouse} AS warehouse_id, $2::uuid[] AS sku_ids, $3::text[] AS sku_codes, $4::uuid[] AS lot_ids,
            $5::text[] AS lot_codes, $6::uuid[] AS location_ids, $7::text[] AS location_codes, $8::boolean AS comes_in)
   SELECT asked.place::integer, s.id AS sku_id, l.id AS lot_id, o.id AS location_id,
          CASE WHEN s.id IS NOT NULL THEN ${skuFacts} END AS sku,
          CASE WHEN l.id IS NOT NULL THEN ${lotFacts} END AS lot,
          CASE WHEN o.id IS NOT NULL THEN ${locationFacts} END AS location
   FROM given
   CROSS JOIN LATERAL unnest(given.sku_ids, given.sku_codes, given.lot_ids, given.lot_codes, given.location_ids,
                             given.location_codes) WITH ORDINALITY
     AS asked (sku_id, sku_code, lot_id, lot_code, location_id, location_code, place)
   LEFT JOIN LATERAL (
     SELECT * FROM wms.sku WHERE id = asked.sku_id
     UNION ALL
     SELECT * FROM wms.sku WHERE upper(code) = upper(asked.sku_code)
     UNION ALL
     SELECT own.* FROM wms.lot named JOIN wms.sku own ON own.id = named.sku_id
     WHERE named.id = asked.lot_id AND asked.sku_id IS NULL AND asked.sku_code IS NULL
     LIMIT 1) s ON true
   LEFT JOIN LATERAL (
     SELECT * FROM wms.lot WHERE id = asked.lot_id AND sku_id = s.id
     UNION ALL
     SELECT * FROM wms.lot
     WHERE sku_id = s.id AND upper(code) = upper(asked.lot_code)
     UNION ALL
     SELECT * FROM wms.lot
     WHERE sku_id = s.id AND upper(code) = '-' AND NOT s.lot_tracked AND asked.lot_id IS NULL AND asked.lot_code IS NULL
     LIMIT 1) l ON true
   LEFT JOIN LATERAL (
     SELECT * FROM wms.location WHERE id = asked.location_id AND warehouse_id = given.warehouse_id
     UNION ALL
     SELECT * FROM wms.location WHERE warehouse_id = given.warehouse_id AND upper(code) = upper(asked.location_code)
     UNION ALL
     (SELECT * FROM wms.location
      WHERE asked.location_id IS NULL AND asked.location_code IS NULL AND warehouse_id = given.warehouse_id AND is_active
        AND (upper(code) = 'DEFAULT' OR given.comes_in AND type = 'staging')
      ORDER BY type = 'staging' DESC, pick_priority, id LIMIT 1)
     LIMIT 1) o ON true
   ORDER BY asked.place`;
}

export const linesGiven = statement<KnownLine>('wms.lines_given', knownLines('once'));
