import { statement } from '@belay/platform';
import type { ChargeCategory } from '../charges/charge.rules.js';
import type { DisputeResolution, DisputeState } from './dispute-state.rules.js';

export interface DisputeRow {
  readonly id: string;
  readonly invoiceId: string;
  readonly invoiceNumber: string;
  readonly warehouseId: string;
  readonly warehouse: string;
  readonly siteId: string;
  readonly number: string;
  readonly reasonCode: string;
  readonly reason: string;
  readonly disputedAmount: string;
  readonly currency: string;
  readonly status: DisputeState;
  readonly contactedWarehouseAt: Date | null;
  readonly resolution: DisputeResolution | null;
  readonly agreedAmount: string | null;
  readonly creditNoteNumber: string | null;
  readonly creditInvoiceId: string | null;
  /** What the credit note brings, and what was agreed in all disputes that name it. */
  readonly credited: string | null;
  readonly creditAgreed: string | null;
  readonly resolvedBy: string | null;
  readonly resolvedAt: Date | null;
  /** Since when it is in its state. */
  readonly since: Date;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly rowVersion: number;
}

const columns = `d.id, d.invoice_id AS "invoiceId", i.number AS "invoiceNumber", i.warehouse_id AS "warehouseId",
  w.code AS warehouse, w.site_id AS "siteId", d.number, d.reason_code AS "reasonCode", d.reason,
  d.disputed_amount AS "disputedAmount", d.currency, d.status, d.contacted_warehouse_at AS "contactedWarehouseAt",
  d.resolution, d.agreed_amount AS "agreedAmount", d.credit_note_number AS "creditNoteNumber",
  credit.id AS "creditInvoiceId", -credit.net AS credited,
  (SELECT sum(o.agreed_amount) FROM wms.dispute o JOIN wms.invoice j ON j.id = o.invoice_id
   WHERE j.warehouse_id = i.warehouse_id AND upper(o.credit_note_number) = upper(d.credit_note_number)) AS "creditAgreed",
  d.resolved_by AS "resolvedBy", d.resolved_at AS "resolvedAt",
  state.since, d.created_by AS "createdBy", d.created_at AS "createdAt", d.row_version AS "rowVersion"`;

const from = `FROM wms.dispute d
  JOIN wms.invoice i ON i.id = d.invoice_id
  JOIN wms.warehouse w ON w.id = i.warehouse_id
  LEFT JOIN wms.invoice credit
    ON credit.warehouse_id = i.warehouse_id AND upper(credit.number) = upper(d.credit_note_number)
       AND credit.status NOT IN ('draft', 'void')
  CROSS JOIN LATERAL (
    SELECT coalesce(min(e.at), d.created_at) AS since FROM wms.dispute_event e
    WHERE e.dispute_id = d.id AND e.status = d.status) state`;

export const disputeById = statement<DisputeRow>(
  'wms.dispute_by_id',
  `SELECT ${columns} ${from} WHERE d.id = $1::uuid`,
);

export const lockDispute = statement<{ invoiceId: string }>(
  'wms.lock_dispute',
  `SELECT invoice_id AS "invoiceId" FROM wms.dispute WHERE id = $1::uuid FOR UPDATE`,
);

/** The latest first. $1 sites or null, $2 warehouse, $3 invoice, $4 status, $5 and $6 the row to go on after, $7 rows. */
export const disputeList = statement<DisputeRow & { readonly sortAt: string }>(
  'wms.dispute_list',
  `SELECT ${columns}, d.created_at::text AS "sortAt" ${from}
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1))
     AND ($2::uuid IS NULL OR i.warehouse_id = $2)
     AND ($3::uuid IS NULL OR d.invoice_id = $3)
     AND ($4::text IS NULL OR d.status = $4)
     AND ($6::uuid IS NULL OR (d.created_at, d.id) < ($5::timestamptz, $6))
   ORDER BY d.created_at DESC, d.id DESC LIMIT $7`,
);

/** How many disputes of the invoice $1 have not ended. */
export const openDisputes = statement<{ open: number }>(
  'wms.open_disputes',
  `SELECT count(*)::integer AS open FROM wms.dispute
   WHERE invoice_id = $1::uuid AND status NOT IN ('resolved', 'withdrawn')`,
);

export const openDisputesOf = statement<DisputeRow>(
  'wms.open_disputes_of_invoice',
  `SELECT ${columns} ${from} WHERE d.invoice_id = $1::uuid AND d.status NOT IN ('resolved', 'withdrawn')
   ORDER BY d.number FOR UPDATE OF d`,
);

export interface DisputeLineRow {
  readonly reconLineId: string;
  readonly category: ChargeCategory;
  readonly name: string;
  readonly difference: string;
  readonly disputedAmount: string;
  readonly suggestedAmount: string | null;
  readonly reason: string | null;
  readonly isOpen: boolean;
}

export const linesOfDispute = statement<DisputeLineRow>(
  'wms.lines_of_dispute',
  `SELECT l.recon_line_id AS "reconLineId", n.category, n.name, n.difference, l.disputed_amount AS "disputedAmount",
          l.suggested_amount AS "suggestedAmount", l.reason, l.is_open AS "isOpen"
   FROM wms.dispute_line l JOIN wms.recon_line n ON n.id = l.recon_line_id
   WHERE l.dispute_id = $1::uuid ORDER BY n.category, n.name`,
);

/** Lines of the invoice $1 that are in a dispute that has not ended, whichever run they were found by. */
export const linesInDispute = statement<{ category: string; name: string; number: string }>(
  'wms.lines_in_dispute',
  `SELECT n.category, n.name, d.number
   FROM wms.dispute_line l
   JOIN wms.dispute d ON d.id = l.dispute_id
   JOIN wms.recon_line n ON n.id = l.recon_line_id
   WHERE d.invoice_id = $1::uuid AND l.is_open`,
);

export interface DisputeEventRow {
  readonly kind: string;
  readonly status: DisputeState;
  readonly note: string | null;
  readonly actorId: string;
  readonly at: Date;
}

export const eventsOfDispute = statement<DisputeEventRow>(
  'wms.events_of_dispute',
  `SELECT kind, status, note, actor_id AS "actorId", at FROM wms.dispute_event WHERE dispute_id = $1::uuid ORDER BY id`,
);

/** $1 id, $2 invoice, $3 warehouse, $4 code of the reason, $5 reason, $6 amount, $7 currency, $8 who. */
export const insertDispute = statement<{ number: string }>(
  'wms.insert_dispute',
  `WITH place AS (
     SELECT id, code, wms.local_date(now(), timezone) AS today FROM wms.warehouse WHERE id = $3::uuid),
   counted AS (
     INSERT INTO wms.doc_counter AS c (warehouse_id, kind, on_date, last_no)
     SELECT id, 'DISPUTE', today, 1 FROM place
     ON CONFLICT (warehouse_id, kind, on_date) DO UPDATE SET last_no = c.last_no + 1
     RETURNING last_no)
   INSERT INTO wms.dispute (id, invoice_id, number, reason_code, reason, disputed_amount, currency, created_by)
   SELECT $1, $2, format('%s-DSP-%s-%s', place.code, to_char(place.today, 'YYYYMMDD'), lpad(counted.last_no::text, 6, '0')),
          $4, $5, $6, $7, $8
   FROM place, counted
   RETURNING number`,
);

/** $1 dispute, then the ids and fields of its lines. */
export const insertDisputeLines = statement(
  'wms.insert_dispute_lines',
  `INSERT INTO wms.dispute_line (dispute_id, id, recon_line_id, disputed_amount, suggested_amount, reason)
   SELECT $1::uuid, l.* FROM unnest($2::uuid[], $3::bigint[], $4::numeric[], $5::numeric[], $6::text[]) AS l`,
);

export const insertDisputeEvent = statement(
  'wms.insert_dispute_event',
  `INSERT INTO wms.dispute_event (dispute_id, kind, status, note, actor_id) VALUES ($1, $2, $3, $4, $5)`,
);

/** $1 dispute, $2 status, $3 when the operator was contacted. */
export const moveDispute = statement(
  'wms.move_dispute',
  `UPDATE wms.dispute SET status = $2::text, contacted_warehouse_at = coalesce(contacted_warehouse_at, $3::timestamptz)
   WHERE id = $1::uuid`,
);

/** $1 dispute, $2 status, $3 resolution, $4 agreed, $5 credit note, $6 who. */
export const endDispute = statement(
  'wms.end_dispute',
  `UPDATE wms.dispute SET status = $2::text, resolution = $3::text, agreed_amount = $4::numeric,
     credit_note_number = coalesce($5::text, credit_note_number), resolved_by = $6::uuid, resolved_at = clock_timestamp()
   WHERE id = $1::uuid`,
);

export const setCreditNote = statement(
  'wms.set_credit_note',
  `UPDATE wms.dispute SET credit_note_number = $2::text WHERE id = $1::uuid`,
);

/** A change of the row without one of its fields: what belongs to it is new. */
export const touchDispute = statement(
  'wms.touch_dispute',
  `UPDATE wms.dispute SET updated_at = clock_timestamp() WHERE id = $1::uuid`,
);

/** Credits that the operator agreed to and that the credit note $3 of the warehouse $1 must bring. */
export const creditsOfNote = statement<{ id: string; number: string; agreed: string }>(
  'wms.credits_of_note',
  `SELECT d.id, d.number, d.agreed_amount AS agreed
   FROM wms.dispute d JOIN wms.invoice i ON i.id = d.invoice_id
   WHERE i.warehouse_id = $1::uuid AND d.currency = $2::text AND d.status = 'resolved' AND d.agreed_amount > 0
     AND upper(d.credit_note_number) = upper($3::text)
   ORDER BY d.number`,
);

/** Names the credit note $3 of $4 as that of the one agreed credit of just that amount which still waits for its note. */
export const matchCreditNote = statement<{ id: string }>(
  'wms.match_credit_note',
  `UPDATE wms.dispute SET credit_note_number = $3::text
   WHERE id = (
     SELECT (array_agg(d.id))[1] FROM wms.dispute d JOIN wms.invoice i ON i.id = d.invoice_id
     WHERE i.warehouse_id = $1::uuid AND d.currency = $2::text AND d.status = 'resolved' AND d.agreed_amount = $4::numeric
       AND d.credit_note_number IS NULL
     HAVING count(*) = 1)
   RETURNING id`,
);

/** Open disputes that stand in their state longer than it is given, and whose time was not yet noticed. */
export const overdueDisputes = statement<DisputeRow>(
  'wms.overdue_disputes',
  `SELECT ${columns} ${from}
   JOIN unnest($1::text[], $2::integer[]) AS allowed (status, days) ON allowed.status = d.status
   WHERE state.since + make_interval(hours => allowed.days * 24) <= now()
     AND NOT EXISTS (SELECT FROM wms.dispute_event e
                     WHERE e.dispute_id = d.id AND e.status = d.status AND e.kind = 'overdue')
   ORDER BY d.id LIMIT $3`,
);
