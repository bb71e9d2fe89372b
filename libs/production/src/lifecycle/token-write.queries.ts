import { statement } from '@belay/platform';
import type { TokenFields } from './token.store.js';

interface Column {
  readonly name: string;
  readonly type: string;
}

const columns: Readonly<Record<keyof TokenFields, Column>> = {
  nodeId: { name: 'current_node_id', type: 'uuid' },
  holdCode: { name: 'hold_code', type: 'text' },
  queueReason: { name: 'queue_reason', type: 'text' },
  queueEnteredAt: { name: 'queue_entered_at', type: 'timestamptz' },
  priority: { name: 'priority', type: 'smallint' },
  qty: { name: 'qty', type: 'numeric' },
  reworkCount: { name: 'rework_count', type: 'integer' },
  reworkLimit: { name: 'rework_limit', type: 'integer' },
  metadata: { name: 'metadata', type: 'jsonb' },
  qcResult: { name: 'qc_result', type: 'jsonb' },
  mergedInto: { name: 'merged_into_token_id', type: 'uuid' },
  cancelType: { name: 'cancel_type', type: 'text' },
  cancelReason: { name: 'cancel_reason', type: 'text' },
};

const terminal = (status: string) => `${status} IN ('completed', 'scrapped', 'merged', 'consumed')`;

/** What is not among the fields of a change stays as it is. */
const fields = Object.entries(columns)
  .filter(([field]) => field !== 'nodeId')
  .map(([field, { name, type }]) => {
    const given = type === 'jsonb' ? `nullif(c.fields->'${field}', 'null')` : `(c.fields->>'${field}')::${type}`;
    return `${name} = CASE WHEN c.fields ? '${field}' THEN ${given} ELSE t.${name} END`;
  });

/**
 * Everything that a step changes of tokens, in one statement: $1 changes, $2 marks on the open visits, $3 visits that
 * begin, $4 events, each a list of objects; $5 time, $6 actor, $7 request, $8 and $9 the device; $10 new tokens, $11 new
 * groups. Events are announced as they are written. Returns the tokens that were what they were expected to be.
 */
export const writeTokens = statement<{ readonly id: string }>(
  'production.write_tokens',
  `WITH given AS MATERIALIZED (
     SELECT $1::jsonb AS changes, $2::jsonb AS marks, $3::jsonb AS entries, $4::jsonb AS events, $5::timestamptz AS at),
   changed AS (
     UPDATE production.flow_token t SET
       status = c."to",
       current_node_id = CASE WHEN ${terminal('c."to"')} THEN NULL
                              WHEN c.fields ? 'nodeId' THEN (c.fields->>'nodeId')::uuid ELSE t.current_node_id END,
       completed_at = CASE WHEN c."to" = 'completed' THEN given.at ELSE t.completed_at END,
       ${fields.join(',\n       ')}
     FROM given, jsonb_to_recordset(given.changes) AS c (id uuid, "from" jsonb, "to" text, fields jsonb)
     WHERE t.id = c.id AND c."from" ? t.status
     RETURNING t.id),
   made AS (
     INSERT INTO production.flow_token
       (id, instance_id, token_type, serial, serial_rev, parent_token_id, parallel_group_id, branch_key, branch_no,
        current_node_id, status, hold_code, qty, rework_count, rework_limit, priority, metadata, qc_result, queue_reason,
        queue_entered_at, spawn_seq, replaces_token_id, merged_into_token_id, cancel_type, cancel_reason, spawned_at,
        first_spawned_at, completed_at)
     SELECT t.id, t."instanceId", t.type, t.serial, coalesce(t."serialRev", 0), t."parentId", t."groupId", t."branchKey",
            t."branchNo", CASE WHEN ${terminal('t.status')} THEN NULL ELSE t."nodeId" END, t.status, t."holdCode", t.qty,
            coalesce(t."reworkCount", 0), t."reworkLimit", coalesce(t.priority, 0), coalesce(t.metadata, '{}'),
            nullif(t."qcResult", 'null'), t."queueReason", t."queueEnteredAt", t."spawnSeq", t."replacesTokenId",
            t."mergedInto", t."cancelType", t."cancelReason", given.at, coalesce(t."firstSpawnedAt", given.at),
            CASE WHEN t.status = 'completed' THEN given.at END
     FROM given,
          jsonb_to_recordset($10::jsonb) AS t
            (id uuid, "instanceId" uuid, type text, serial text, "serialRev" smallint, "parentId" uuid, "groupId" uuid,
             "branchKey" text, "branchNo" integer, "nodeId" uuid, status text, "holdCode" text, qty numeric,
             "reworkCount" integer, "reworkLimit" integer, priority smallint, metadata jsonb, "qcResult" jsonb,
             "queueReason" text, "queueEnteredAt" timestamptz, "spawnSeq" integer, "replacesTokenId" uuid,
             "mergedInto" uuid, "cancelType" text, "cancelReason" text, "firstSpawnedAt" timestamptz)
     -- A serial passes on from what has ended.
     WHERE (SELECT count(*) FROM changed) >= 0
     RETURNING id, instance_id, qty),
   grouped AS (
     INSERT INTO production.token_parallel_group
       (id, parent_token_id, split_node_id, visit_no, kind, expected_branches, join_node_id, created_at)
     SELECT g.id, g."parentId", g."splitNodeId", g."visitNo", g.kind, g.branches, g."joinNodeId", given.at
     FROM given,
          jsonb_to_recordset($11::jsonb) AS g
            (id uuid, "parentId" uuid, "splitNodeId" uuid, "visitNo" integer, kind text, branches integer,
             "joinNodeId" uuid)),
   mark AS MATERIALIZED (
     SELECT o.id, given.at, m.*, o.first_started_at, o.entered_at, w.work, w.assist, w.pause, w.operator_id, w.team_id
     FROM given,
          jsonb_to_recordset(given.marks) AS m ("tokenId" uuid, admitted boolean, started boolean, completed boolean,
                                                "leftAs" text, "qcResult" jsonb)
     JOIN production.token_node_visit o ON o.token_id = m."tokenId" AND o.left_at IS NULL
     LEFT JOIN LATERAL (
       SELECT coalesce(sum(s.work_seconds) FILTER (WHERE s.help_type <> 'assist'), 0) AS work,
              coalesce(sum(s.work_seconds) FILTER (WHERE s.help_type = 'assist'), 0) AS assist,
              coalesce(sum(s.pause_seconds), 0) AS pause,
              (array_agg(s.operator_id ORDER BY s.started_at DESC, s.id DESC) FILTER (WHERE s.help_type <> 'assist'))[1]
                AS operator_id,
              (SELECT a.team_id FROM production.token_assignment a
               WHERE a.token_id = o.token_id AND a.node_id = o.node_id AND a.assigned_at >= o.entered_at
               ORDER BY a.status = 'completed' DESC, a.assigned_at DESC, a.id DESC LIMIT 1) AS team_id
       FROM production.token_work_session s
       WHERE s.token_id = o.token_id AND s.node_id = o.node_id AND s.started_at >= o.entered_at) w
       ON m.completed OR m."leftAs" IS NOT NULL),
   marked AS (
     UPDATE production.token_node_visit v SET
       admitted_at = CASE WHEN m.admitted THEN coalesce(v.admitted_at, m.at) ELSE v.admitted_at END,
       first_started_at = CASE WHEN m.started THEN coalesce(v.first_started_at, m.at) ELSE v.first_started_at END,
       completed_at = CASE WHEN m.completed THEN coalesce(v.completed_at, m.at) ELSE v.completed_at END,
       left_at = CASE WHEN m."leftAs" IS NOT NULL THEN m.at END,
       outcome = m."leftAs",
       qc_result = coalesce(nullif(m."qcResult", 'null'), v.qc_result),
       wait_seconds = CASE WHEN m.started OR m."leftAs" IS NOT NULL
                           THEN greatest(extract(epoch FROM coalesce(v.first_started_at, m.at) - v.entered_at), 0)
                           ELSE v.wait_seconds END,
       work_seconds = coalesce(m.work, v.work_seconds),
       assist_seconds = coalesce(m.assist, v.assist_seconds),
       pause_seconds = coalesce(m.pause, v.pause_seconds),
       operator_id = coalesce(v.operator_id, m.operator_id),
       team_id = coalesce(v.team_id, m.team_id)
     FROM mark m WHERE v.id = m.id
     RETURNING v.id),
   entered AS (
     INSERT INTO production.token_node_visit
       (id, token_id, node_id, visit_no, entered_at, admitted_at, completed_at, left_at, outcome, wait_seconds,
        estimated_wait_minutes)
     SELECT e.id, e."tokenId", e."nodeId",
            coalesce((SELECT max(v.visit_no) FROM production.token_node_visit v
                      WHERE v.token_id = e."tokenId" AND v.node_id = e."nodeId"), 0)
              + row_number() OVER (PARTITION BY e."tokenId", e."nodeId" ORDER BY e.no),
            given.at, CASE WHEN e.admitted THEN given.at END, CASE WHEN e."leftAs" IS NOT NULL THEN given.at END,
            CASE WHEN e."leftAs" IS NOT NULL THEN given.at END, e."leftAs", CASE WHEN e."leftAs" IS NOT NULL THEN 0 END,
            e."estimatedWaitMinutes"
     FROM given,
          jsonb_to_recordset(given.entries) AS e (no integer, id uuid, "tokenId" uuid, "nodeId" uuid, admitted boolean,
                                                  "leftAs" text, "estimatedWaitMinutes" integer)
     -- A token is at one node: the visit before has ended.
     WHERE (SELECT count(*) FROM marked) >= 0),
   event AS MATERIALIZED (
     SELECT e.*, given.at
     FROM given,
          jsonb_to_recordset(given.events) AS e (no integer, "tokenId" uuid, "nodeId" uuid, type text, payload jsonb)),
   recorded AS (
     INSERT INTO production.token_event
       (token_id, node_id, type, actor_id, payload, request_id, client_seq, client_time, event_time)
     SELECT e."tokenId", e."nodeId", e.type, $6::uuid, coalesce(e.payload, '{}'), $7::text, $8::bigint, $9::timestamptz,
            e.at
     FROM event e ORDER BY e.no),
   told AS (
     INSERT INTO platform.outbox (name, body, domain, request_id, actor)
     SELECT 'production.token-event',
            jsonb_build_object('type', e.type, 'tokenId', e."tokenId", 'jobTicketId', i.job_ticket_id, 'graphId', v.graph_id,
                               'nodeCode', n.node_code, 'qty', coalesce(t.qty, m.qty), 'at', e.at),
            'production', nullif(current_setting('belay.request_id', true), ''),
            nullif(current_setting('belay.actor', true), '')
     FROM event e
     LEFT JOIN production.flow_token t ON t.id = e."tokenId"
     LEFT JOIN made m ON m.id = e."tokenId"
     JOIN production.job_graph_instance i ON i.id = coalesce(t.instance_id, m.instance_id)
     JOIN production.routing_graph_version v ON v.id = i.graph_version_id
     LEFT JOIN production.routing_node n ON n.id = e."nodeId"
     ORDER BY e.no)
   SELECT id FROM changed`,
);

/** Where the tokens $1 stand. */
export const statesOfTokens = statement<{
  readonly id: string;
  readonly status: string;
  readonly holdCode: string | null;
  readonly nodeId: string | null;
  readonly rowVersion: number;
}>(
  'production.states_of_tokens',
  `SELECT id, status, hold_code AS "holdCode", current_node_id AS "nodeId", row_version AS "rowVersion" FROM production.flow_token
   WHERE id = ANY ($1::uuid[]) ORDER BY id`,
);
