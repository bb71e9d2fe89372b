import { statement } from '@belay/platform';
import { eventSheetOf, type SheetRow } from '../charges/charge.queries.js';
import { knownLines, type KnownLine } from '../goods/line.queries.js';
import { warehouseFacts, warehouseOf } from '../warehouses/warehouse.queries.js';
import type { KnownWarehouse } from '../warehouses/warehouse-scope.service.js';
import { isFuture, isOld, lastAfter, type BucketsAtTime } from './posting.queries.js';

interface Stacked {
  readonly storage: number;
  readonly shipping: number;
}

/** A line with what is known of its goods in the warehouse. */
export interface LineFacts extends KnownLine {
  /** How the lot is stacked there on the day; null until something of it is received. */
  readonly stacked: Stacked | null;
  /** How its SKU is stacked there, for lots that nothing else is known of. */
  readonly spec: Stacked | null;
  /** The volume of a carton; null when a size is missing. */
  readonly cartonMm3: string | null;
  readonly later: string | null;
}

/** The first line also says what is to be known of the document. */
export interface DocumentRow extends LineFacts {
  readonly document: {
    /** Absent where the warehouse was known before. */
    readonly warehouse?: KnownWarehouse;
    readonly isFuture: BucketsAtTime['isFuture'] | null;
    readonly effectiveOn: string;
    readonly isOld: BucketsAtTime['isOld'] | null;
    readonly sheet: readonly SheetRow[] | null;
    readonly likely: readonly string[] | null;
  } | null;
}

const zone = 'w.timezone';

/**
 * Lines `k` as `knownLines` finds them, with what is known of their goods in the warehouse `w` at a time, null for now. `at`,
 * `status` of the stock and `isCharged`, whether the line may cost something, are expressions; `given` joins the warehouse
 * and whatever they are of.
 */
const linesAtTime = (of: { at: string; status: string; isCharged: string; lines: string; given: string }) => `
   FROM (${of.lines}) k
   ${of.given}
   CROSS JOIN LATERAL (SELECT wms.local_date(coalesce(${of.at}, clock_timestamp()), ${zone}) AS on) day
   CROSS JOIN LATERAL (SELECT k.lot_id, k.location_id, ${of.status} AS stock_status) of
   LEFT JOIN LATERAL (
     SELECT jsonb_build_object('storage', s.storage_cartons_per_pallet, 'shipping', s.shipping_cartons_per_pallet) AS facts
     FROM wms.lot_stock s
     WHERE s.warehouse_id = w.id AND s.lot_id = k.lot_id AND s.valid_from <= day.on
     ORDER BY s.valid_from DESC LIMIT 1) stacked ON true
   LEFT JOIN LATERAL (
     SELECT jsonb_build_object('storage', p.storage_cartons_per_pallet, 'shipping', p.shipping_cartons_per_pallet) AS facts
     FROM wms.pallet_spec p
     WHERE p.warehouse_id = w.id AND p.sku_id = k.sku_id AND p.valid @> day.on
     -- There is one at most; said so, each is looked up by its SKU, however many there seem to be.
     LIMIT 1) spec ON true
   LEFT JOIN LATERAL (
     SELECT coalesce(l.carton_length_mm, s.default_carton_length_mm)::bigint
              * coalesce(l.carton_width_mm, s.default_carton_width_mm)
              * coalesce(l.carton_height_mm, s.default_carton_height_mm) AS mm3
     FROM wms.sku s LEFT JOIN wms.lot l ON l.id = k.lot_id WHERE s.id = k.sku_id AND ${of.isCharged}) carton ON true
   LEFT JOIN LATERAL ${lastAfter(of.at, 'w.id', 'of')} later ON ${of.at} IS NOT NULL
   ORDER BY k.place`;

const lineFacts = `k.place, k.sku, k.lot, k.location, stacked.facts AS stacked, spec.facts AS spec, carton.mm3::text AS "cartonMm3", later.at::text AS later`;

/**
 * Everything that decides about a document, in one look: $2 to $8 as `knownLines`, $9 the given time or null, $10 statuses
 * of stock, one for each line, $11 whether it costs something, $12 its kind and $13 its reference, to find whether the same
 * was posted within the last minute. Its warehouse has the id $1 or the code $14; no rows when there is none.
 */
export const documentLines = statement<DocumentRow>(
  'wms.document_lines',
  `WITH document AS MATERIALIZED (
     SELECT $9::timestamptz AS at, $10::text[] AS statuses, $11::boolean AS is_charged, $12::text AS kind,
            $13::text AS reference, $1::uuid AS warehouse_id, $14::text AS warehouse_code),
   place AS MATERIALIZED (
     SELECT w.* FROM document d CROSS JOIN LATERAL ${warehouseOf('d.warehouse_id', 'd.warehouse_code')} w)
   SELECT ${lineFacts},
          CASE WHEN k.place = 1 THEN jsonb_build_object(
            'warehouse', ${warehouseFacts}, 'effectiveOn', day.on, 'isFuture', ${isFuture('d.at')}, 'isOld', ${isOld('d.at', zone)},
            'sheet', CASE WHEN d.is_charged THEN ${eventSheetOf('w.id', 'w.currency')} END,
            'likely', (
              SELECT jsonb_agg(m.id) FROM (
                SELECT m.id FROM wms.movement m
                WHERE m.reference = d.reference AND m.warehouse_id = w.id AND m.kind = d.kind
                  AND m.recorded_at > clock_timestamp() - interval '60 seconds'
                LIMIT 10) m)) END AS document
   ${linesAtTime({
     at: 'd.at',
     status: 'd.statuses[k.place]',
     isCharged: 'd.is_charged',
     lines: knownLines('once', '(SELECT id FROM place)'),
     given: 'CROSS JOIN document d CROSS JOIN place w',
   })}`,
);

/** A line of one of many documents, with what its time means. */
export interface DatedLine extends LineFacts, Omit<BucketsAtTime, 'later'> {}

/** As `documentLines`, for lines of many documents: $9 times and $10 statuses, one for each line, and $11 for all. */
export const datedLines = statement<DatedLine>(
  'wms.dated_lines',
  `SELECT ${lineFacts}, day.on AS "effectiveOn", ${isFuture('g.at')} AS "isFuture", ${isOld('g.at', zone)} AS "isOld"
   ${linesAtTime({
     at: 'g.at',
     status: 'g.stock_status',
     isCharged: '$11::boolean',
     lines: knownLines('each time'),
     given:
       'JOIN wms.warehouse w ON w.id = $1 JOIN unnest($9::timestamptz[], $10::text[]) WITH ORDINALITY AS g (at, stock_status, place) ON g.place = k.place',
   })}`,
);
