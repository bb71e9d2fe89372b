import { statement } from '@belay/platform';
import { eventSheetOf, type SheetRow } from '../charges/charge.queries.js';
import { knownLines, type KnownLine } from '../goods/line.queries.js';
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
 * `status` of the stock and `isCharged`, whether the line may cost something, are expressions; `given` joins what they are
 * of.
 */
const linesAtTime = (of: { at: string; status: string; isCharged: string; given?: string }) => `
   FROM (${knownLines}) k
   JOIN wms.warehouse w ON w.id = $1
   ${of.given ?? ''}
   CROSS JOIN LATERAL (SELECT wms.local_date(coalesce(${of.at}, clock_timestamp()), ${zone}) AS on) day
   CROSS JOIN LATERAL (
     SELECT (k.sku ->> 'id')::uuid AS sku_id, (k.lot ->> 'id')::uuid AS lot_id, (k.location ->> 'id')::uuid AS location_id,
            ${of.status} AS stock_status) of
   LEFT JOIN LATERAL (
     SELECT jsonb_build_object('storage', s.storage_cartons_per_pallet, 'shipping', s.shipping_cartons_per_pallet) AS facts
     FROM wms.lot_stock s
     WHERE s.warehouse_id = w.id AND s.lot_id = of.lot_id AND s.valid_from <= day.on
     ORDER BY s.valid_from DESC LIMIT 1) stacked ON true
   LEFT JOIN LATERAL (
     SELECT jsonb_build_object('storage', p.storage_cartons_per_pallet, 'shipping', p.shipping_cartons_per_pallet) AS facts
     FROM wms.pallet_spec p
     WHERE p.warehouse_id = w.id AND p.sku_id = of.sku_id AND p.valid @> day.on
     -- There is one at most; said so, each is looked up by its SKU, however many there seem to be.
     LIMIT 1) spec ON true
   LEFT JOIN LATERAL (
     SELECT coalesce(l.carton_length_mm, s.default_carton_length_mm)::bigint
              * coalesce(l.carton_width_mm, s.default_carton_width_mm)
              * coalesce(l.carton_height_mm, s.default_carton_height_mm) AS mm3
     FROM wms.sku s LEFT JOIN wms.lot l ON l.id = of.lot_id WHERE s.id = of.sku_id AND ${of.isCharged}) carton ON true
   LEFT JOIN LATERAL ${lastAfter(of.at, 'w.id', 'of')} later ON ${of.at} IS NOT NULL
   ORDER BY k.place`;

const lineFacts = `k.*, stacked.facts AS stacked, spec.facts AS spec, carton.mm3::text AS "cartonMm3", later.at::text AS later`;

/**
 * Everything that decides about a document, in one look: $1 to $8 as `knownLines`, $9 the given time or null, $10 statuses
 * of stock, one for each line, $11 whether it costs something, $12 its kind and $13 its reference, to find whether the same
 * was posted within the last minute.
 */
export const documentLines = statement<DocumentRow>(
  'wms.document_lines',
  `SELECT ${lineFacts},
          CASE WHEN k.place = 1 THEN jsonb_build_object(
            'effectiveOn', day.on, 'isFuture', ${isFuture('$9::timestamptz')}, 'isOld', ${isOld('$9', zone)},
            'sheet', CASE WHEN $11::boolean THEN ${eventSheetOf('w.id', 'w.currency')} END,
            'likely', (
              SELECT jsonb_agg(m.id) FROM (
                SELECT m.id FROM wms.movement m
                WHERE m.reference = $13::text AND m.warehouse_id = w.id AND m.kind = $12::text
                  AND m.recorded_at > clock_timestamp() - interval '60 seconds'
                LIMIT 10) m)) END AS document
   ${linesAtTime({ at: '$9', status: '($10::text[])[k.place]', isCharged: '$11' })}`,
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
     given:
       'JOIN unnest($9::timestamptz[], $10::text[]) WITH ORDINALITY AS g (at, stock_status, place) ON g.place = k.place',
   })}`,
);
