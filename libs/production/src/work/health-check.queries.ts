import { statement, type Statement } from '@belay/platform';

/** Something that does not fit together. */
interface Disagreement {
  readonly subjectType: 'token' | 'session' | 'assignment';
  readonly subjectId: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export type Check = Statement<Disagreement>;

const open = `('assigned', 'accepted', 'started', 'paused')`;
const live = `('ready', 'waiting', 'active', 'paused')`;

/** $1 is the time. */
function check(
  name: string,
  subjectType: Disagreement['subjectType'],
  subject: string,
  detail: string,
  from: string,
): Check {
  return statement<Disagreement>(
    `production.check_${name}`,
    `WITH given AS (SELECT $1::timestamptz AS at)
     SELECT '${subjectType}' AS "subjectType", ${subject} AS "subjectId", jsonb_build_object(${detail}) AS detail
     FROM given ${from} ORDER BY 2 LIMIT 1000`,
  );
}

/** What must never be: sessions, assignments, tokens, visits and events tell one story. By the kind of the finding. */
export const invariants: Readonly<Record<string, Check>> = {
  'session-without-token': check(
    'session_without_token',
    'session',
    's.id',
    `'tokenId', t.id, 'session', s.status, 'token', t.status`,
    `CROSS JOIN production.token_work_session s JOIN production.flow_token t ON t.id = s.token_id
     WHERE s.status IN ('active', 'paused') AND (s.node_id IS DISTINCT FROM t.current_node_id
       OR s.help_type <> 'assist' AND s.status <> t.status)`,
  ),
  'token-without-session': check(
    'token_without_session',
    'token',
    't.id',
    `'status', t.status`,
    `CROSS JOIN production.flow_token t
     WHERE t.current_node_id IS NOT NULL AND t.status IN ('active', 'paused')
       AND NOT EXISTS (SELECT FROM production.token_work_session s
                       WHERE s.token_id = t.id AND s.status IN ('active', 'paused') AND s.help_type <> 'assist')`,
  ),
  'assignment-without-token': check(
    'assignment_without_token',
    'assignment',
    'a.id',
    `'tokenId', t.id, 'assignment', a.status, 'token', t.status`,
    `CROSS JOIN production.token_assignment a JOIN production.flow_token t ON t.id = a.token_id
     WHERE a.status IN ${open} AND a.node_id IS DISTINCT FROM t.current_node_id`,
  ),
  'assignment-without-session': check(
    'assignment_without_session',
    'assignment',
    'a.id',
    `'tokenId', a.token_id, 'assignment', a.status, 'session', s.status`,
    `CROSS JOIN production.token_assignment a
     LEFT JOIN production.token_work_session s
       ON s.token_id = a.token_id AND s.status IN ('active', 'paused') AND s.help_type <> 'assist'
     WHERE a.status IN ${open}
       AND (CASE a.status WHEN 'started' THEN 'active' WHEN 'paused' THEN 'paused' ELSE '' END <> coalesce(s.status, '')
            OR s.id IS NOT NULL AND a.operator_id IS DISTINCT FROM s.operator_id)`,
  ),
  'orphan-arrival': check(
    'orphan_arrival',
    'token',
    't.id',
    `'groupId', a.group_id, 'token', t.status`,
    `CROSS JOIN production.token_join_arrival a JOIN production.flow_token t ON t.id = a.token_id
     WHERE a.consumed_at IS NULL AND (t.status <> 'waiting' OR t.current_node_id <> a.join_node_id)`,
  ),
  'double-serial': check(
    'double_serial',
    'token',
    't.id',
    `'serial', t.serial`,
    `CROSS JOIN production.flow_token t
     WHERE t.current_node_id IS NOT NULL AND t.serial IS NOT NULL
       AND EXISTS (SELECT FROM production.flow_token o
                   WHERE o.serial = t.serial AND o.id <> t.id AND o.status NOT IN ('scrapped', 'consumed', 'merged'))`,
  ),
  'event-gap': check(
    'event_gap',
    'token',
    't.id',
    `'node', t.current_node_id, 'entered', e.node_id`,
    `CROSS JOIN production.flow_token t
     LEFT JOIN LATERAL (
       SELECT e.node_id FROM production.token_event e WHERE e.token_id = t.id AND e.type = 'NODE_ENTER'
       ORDER BY e.event_time DESC, e.id DESC LIMIT 1) e ON true
     WHERE t.current_node_id IS NOT NULL AND t.status IN ${live} AND e.node_id IS DISTINCT FROM t.current_node_id`,
  ),
  'incomplete-split': check(
    'incomplete_split',
    'token',
    'g.parent_token_id',
    `'groupId', g.id, 'expected', g.expected_branches, 'branches', b.branches`,
    `CROSS JOIN production.token_parallel_group g
     CROSS JOIN LATERAL (
       SELECT count(DISTINCT t.branch_key) AS branches FROM production.flow_token t WHERE t.parallel_group_id = g.id) b
     WHERE g.merged_at IS NULL AND b.branches < g.expected_branches`,
  ),
  'visit-gap': check(
    'visit_gap',
    'token',
    't.id',
    `'node', t.current_node_id, 'visit', v.node_id`,
    `CROSS JOIN production.flow_token t
     LEFT JOIN production.token_node_visit v ON v.token_id = t.id AND v.left_at IS NULL
     WHERE t.current_node_id IS NOT NULL AND t.status IN ${live} AND v.node_id IS DISTINCT FROM t.current_node_id`,
  ),
  'waits-for-nothing': check(
    'waits_for_nothing',
    'token',
    't.id',
    `'entered', t.queue_entered_at`,
    `CROSS JOIN production.flow_token t
     WHERE t.current_node_id IS NOT NULL AND t.status = 'waiting' AND t.queue_reason IS NULL AND t.hold_code IS NULL
       -- Whoever was split up waits for its parts.
       AND NOT EXISTS (SELECT FROM production.token_parallel_group g
                       WHERE g.parent_token_id = t.id AND g.kind = 'COMPONENT' AND g.merged_at IS NULL)`,
  ),
};

/** What takes its time every night: all there is, not only what is open. */
export const nightly: Readonly<Record<string, Check>> = {
  'session-time': check(
    'session_time',
    'session',
    's.id',
    `'work', s.work_seconds, 'pause', s.pause_seconds`,
    `CROSS JOIN production.token_work_session s
     WHERE s.status = 'completed' AND s.ended_at > given.at - interval '2 days'
       AND abs(s.work_seconds + s.pause_seconds - extract(epoch FROM s.ended_at - s.started_at)) > 0.01`,
  ),
  'visit-time': check(
    'visit_time',
    'token',
    'v.token_id',
    `'visitId', v.id, 'visit', v.work_seconds, 'sessions', w.seconds`,
    `CROSS JOIN production.token_node_visit v
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(s.work_seconds), 0) AS seconds FROM production.token_work_session s
       WHERE s.token_id = v.token_id AND s.node_id = v.node_id AND s.help_type <> 'assist' AND s.started_at >= v.entered_at
         AND s.started_at <= v.left_at AND s.status = 'completed') w
     WHERE v.left_at > given.at - interval '2 days' AND v.work_seconds <> w.seconds`,
  ),
};

/** What somebody should look after, although nothing is wrong. */
export const upkeep: Readonly<Record<string, Check>> = {
  'assignment-unanswered': check(
    'assignment_unanswered',
    'assignment',
    'a.id',
    `'tokenId', a.token_id, 'operatorId', a.operator_id, 'since', a.assigned_at`,
    `CROSS JOIN production.token_assignment a
     WHERE a.status = 'assigned' AND a.assigned_at < given.at - interval '1 hour'`,
  ),
  'work-long': check(
    'work_long',
    'session',
    's.id',
    `'tokenId', s.token_id, 'operatorId', s.operator_id, 'since', coalesce(s.resumed_at, s.started_at)`,
    `CROSS JOIN production.token_work_session s
     WHERE s.status = 'active' AND coalesce(s.resumed_at, s.started_at) < given.at - interval '4 hours'`,
  ),
  'work-silent': check(
    'work_silent',
    'token',
    't.id',
    `'last', e.event_time`,
    `CROSS JOIN production.flow_token t
     CROSS JOIN LATERAL (
       SELECT max(e.event_time) AS event_time FROM production.token_event e WHERE e.token_id = t.id) e
     WHERE t.current_node_id IS NOT NULL AND t.status = 'active' AND e.event_time < given.at - interval '2 hours'`,
  ),
  'unmatched-long': check(
    'unmatched_long',
    'token',
    't.id',
    `'nodeId', t.current_node_id, 'since', t.queue_entered_at`,
    `CROSS JOIN production.flow_token t
     JOIN production.job_graph_instance i ON i.id = t.instance_id AND i.status = 'active'
     WHERE t.current_node_id IS NOT NULL AND t.status = 'waiting' AND t.queue_reason = 'NO_MATCH'
       AND t.queue_entered_at < given.at - interval '30 minutes'`,
  ),
  'pause-long': check(
    'pause_long',
    'session',
    's.id',
    `'tokenId', s.token_id, 'operatorId', s.operator_id, 'since', s.paused_at`,
    `CROSS JOIN production.token_work_session s
     WHERE s.status = 'paused' AND s.paused_at < given.at - interval '7 days'`,
  ),
};

/** Sessions that have been paused for longer than anybody comes back to: $1 the time. */
export const leftBehind = statement<{ readonly id: string; readonly tokenId: string }>(
  'production.sessions_left_behind',
  `SELECT id, token_id AS "tokenId" FROM production.token_work_session
   WHERE status = 'paused' AND paused_at < $1::timestamptz - interval '14 days' ORDER BY id LIMIT 100`,
);
