import type { TestApi } from '../support/test-api.js';

/**
 * Tokens and visits that are not what their history says: everything that is told of them can be made from their events
 * alone.
 */
export function unexplained(api: TestApi): Promise<Record<string, unknown>[]> {
  return api.rows(`
    WITH status AS (
      SELECT DISTINCT ON (token_id) token_id, payload->>'status' AS status
      FROM production.token_event WHERE payload ? 'status' ORDER BY token_id, id DESC),
    place AS (
      SELECT DISTINCT ON (token_id) token_id, node_id
      FROM production.token_event WHERE type = 'NODE_ENTER' ORDER BY token_id, id DESC),
    hold AS (
      SELECT DISTINCT ON (token_id) token_id, CASE WHEN type = 'HELD' THEN payload->>'holdCode' END AS code
      FROM production.token_event
      WHERE type IN ('HELD', 'NODE_LEAVE') OR type = 'RELEASED' AND payload ? 'holdCode'
      ORDER BY token_id, id DESC),
    told AS (
      SELECT s.token_id, s.status, CASE WHEN s.status IN ('ready', 'waiting', 'active', 'paused') THEN p.node_id END AS node_id,
             CASE WHEN s.status IN ('ready', 'waiting', 'active', 'paused') THEN h.code END AS hold_code
      FROM status s LEFT JOIN place p USING (token_id) LEFT JOIN hold h USING (token_id)),
    entered AS (
      SELECT token_id, node_id, event_time AS at,
             row_number() OVER (PARTITION BY token_id, node_id ORDER BY id) AS visit_no
      FROM production.token_event WHERE type = 'NODE_ENTER')
    SELECT 'token' AS of, t.id, t.status AS is, told.status AS told, t.hold_code AS "isHeld", told.hold_code AS "toldHeld"
    FROM production.flow_token t LEFT JOIN told ON told.token_id = t.id
    WHERE (t.status, t.current_node_id, t.hold_code) IS DISTINCT FROM (told.status, told.node_id, told.hold_code)
    UNION ALL
    SELECT 'visit', coalesce(v.token_id, e.token_id), v.entered_at::text, e.at::text, NULL, NULL
    FROM production.token_node_visit v
    FULL JOIN entered e ON e.token_id = v.token_id AND e.node_id = v.node_id AND e.visit_no = v.visit_no
    WHERE v.entered_at IS DISTINCT FROM e.at`);
}
