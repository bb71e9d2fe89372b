import { statement } from '@belay/platform';
import { sessionColumns, type SessionRow } from './session.queries.js';

const at = (given: string) => `coalesce(${given}::timestamptz, date_trunc('milliseconds', clock_timestamp())) AS at`;

/** Newest first: $1 sites, $2 operator, $3 token, $4 statuses, $5 the one to go on after, $6 rows, $7 the time. */
export const sessionList = statement<SessionRow & { readonly at: Date }>(
  'production.session_list',
  `SELECT ${sessionColumns('s')}, ${at('$7')}
   FROM production.token_work_session s
   JOIN production.flow_token t ON t.id = s.token_id
   JOIN production.job_graph_instance i ON i.id = t.instance_id
   JOIN production.job_ticket j ON j.id = i.job_ticket_id
   WHERE ($1::uuid[] IS NULL OR j.site_id = ANY ($1))
     AND ($2::uuid IS NULL OR s.operator_id = $2)
     AND ($3::uuid IS NULL OR s.token_id = $3)
     AND ($4::text[] IS NULL OR s.status = ANY ($4))
     AND ($5::uuid IS NULL OR s.id < $5)
   ORDER BY s.id DESC LIMIT $6`,
  'each time',
);

/** Open sessions of the operator $1, the latest resumed or started first, and when anything was heard of each; $2 the time. */
export const openSessionsOf = statement<SessionRow & { readonly at: Date; readonly heardAt: Date | null }>(
  'production.open_sessions_of',
  `SELECT ${sessionColumns('s')}, ${at('$2')},
          (SELECT max(e.event_time) FROM production.token_event e WHERE e.token_id = s.token_id) AS "heardAt"
   FROM production.token_work_session s
   WHERE s.operator_id = $1::uuid AND s.status IN ('active', 'paused')
   ORDER BY coalesce(s.resumed_at, s.started_at) DESC, s.node_id, s.token_id`,
);

/** How many assignments of the operator $1 wait to be begun. */
export const assignedTo = statement<{ readonly assigned: number }>(
  'production.count_assigned_to',
  `SELECT count(*)::integer AS assigned FROM production.token_assignment
   WHERE operator_id = $1::uuid AND status IN ('assigned', 'accepted')`,
);

/** Where the session $1 is at home. */
export const sessionPlace = statement<{ readonly tokenId: string; readonly siteId: string }>(
  'production.session_place',
  `SELECT s.token_id AS "tokenId", j.site_id AS "siteId"
   FROM production.token_work_session s
   JOIN production.flow_token t ON t.id = s.token_id
   JOIN production.job_graph_instance i ON i.id = t.instance_id
   JOIN production.job_ticket j ON j.id = i.job_ticket_id
   WHERE s.id = $1::uuid`,
);

/** The session $1, locked. */
export const lockSession = statement<SessionRow>(
  'production.lock_session',
  `SELECT ${sessionColumns('s')} FROM production.token_work_session s WHERE s.id = $1::uuid FOR UPDATE`,
);
