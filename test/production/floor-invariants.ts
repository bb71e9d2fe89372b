import type { TestApi } from '../support/test-api.js';

/** Something that must never be the case, with the thing that breaks it. */
export interface Breach {
  readonly rule: string;
  readonly id: string;
  readonly detail: string;
}

/** What must hold in every committed state of the jobs $1, whoever does what at the same time. */
const invariants: Readonly<Record<string, string>> = {
  'a token is active exactly while somebody works on it': `SELECT t.id, t.status || ' with ' || count(s.id) AS detail
     FROM token t LEFT JOIN session s ON s.token_id = t.id AND s.status = 'active' AND s.help_type <> 'assist'
     GROUP BY t.id, t.status HAVING (t.status = 'active') <> (count(s.id) = 1)`,
  'a token is paused exactly while its work is': `SELECT t.id, t.status || ' with ' || count(s.id)
     FROM token t LEFT JOIN session s ON s.token_id = t.id AND s.status = 'paused' AND s.help_type <> 'assist'
     GROUP BY t.id, t.status HAVING (t.status = 'paused') <> (count(s.id) = 1)`,
  'people work where the token is': `SELECT s.id, s.help_type FROM session s JOIN token t ON t.id = s.token_id
     WHERE s.status IN ('active', 'paused') AND s.node_id IS DISTINCT FROM t.current_node_id`,
  'one person works on one thing': `SELECT s.operator_id, count(*)::text FROM session s WHERE s.status = 'active' GROUP BY 1 HAVING count(*) > 1`,
  'an assignment is started exactly while the token is active, and paused while it is paused': `SELECT t.id, t.status || ' with ' || coalesce(a.status, 'none')
     FROM token t LEFT JOIN assignment a ON a.token_id = t.id AND a.status IN ('assigned', 'accepted', 'started', 'paused')
     WHERE (t.status = 'active') <> (coalesce(a.status, '') = 'started')
        OR (t.status = 'paused') <> (coalesce(a.status, '') = 'paused')`,
  'an open assignment is for the node where the token is': `SELECT a.id, a.status FROM assignment a JOIN token t ON t.id = a.token_id
     WHERE a.status IN ('assigned', 'accepted', 'started', 'paused') AND a.node_id IS DISTINCT FROM t.current_node_id`,
  'whoever works is whom it is assigned to': `SELECT s.id, s.operator_id || ' instead of ' || coalesce(a.operator_id::text, 'nobody')
     FROM session s
     LEFT JOIN assignment a ON a.token_id = s.token_id AND a.status IN ('started', 'paused')
     WHERE s.status IN ('active', 'paused') AND s.help_type <> 'assist' AND a.operator_id IS DISTINCT FROM s.operator_id`,
  'a live token is on one visit, at its node; one that has ended on none': `SELECT t.id, t.status || ' with ' || count(v.id) FROM token t
     LEFT JOIN production.token_node_visit v ON v.token_id = t.id AND v.left_at IS NULL AND v.node_id = t.current_node_id
     GROUP BY t.id, t.status, t.current_node_id HAVING (t.current_node_id IS NULL) <> (count(v.id) = 0)
     UNION ALL
     SELECT t.id, 'elsewhere' FROM token t JOIN production.token_node_visit v ON v.token_id = t.id
     WHERE v.left_at IS NULL AND v.node_id IS DISTINCT FROM t.current_node_id`,
  'what waits says for what, unless it waits for its parts': `SELECT t.id, t.status || ' ' || coalesce(t.queue_reason, 'for nothing') FROM token t
     WHERE t.status = 'waiting' AND t.queue_reason IS NULL AND NOT EXISTS (
             SELECT FROM production.token_parallel_group g
             WHERE g.parent_token_id = t.id AND g.split_node_id = t.current_node_id AND g.merged_at IS NULL)
        OR t.status <> 'waiting' AND t.queue_reason IS NOT NULL AND t.hold_code IS DISTINCT FROM 'QUEUE_LIMIT'`,
  'nobody works on what is held': `SELECT t.id, t.hold_code FROM token t WHERE t.hold_code IS NOT NULL AND t.status = 'active'`,
  'no more work at a node than may': `SELECT n.graph_id, n.node_code || ': ' || count(*) || ' of ' || l.concurrency_limit
     FROM token t JOIN node n ON n.id = t.current_node_id
     JOIN production.node_limit l ON l.graph_id = n.graph_id AND l.node_code = n.node_code
     JOIN assignment a ON a.token_id = t.id AND a.status = 'started'
     GROUP BY n.graph_id, n.node_code, l.concurrency_limit HAVING count(*) > l.concurrency_limit`,
  'no more is let in at a node than may': `SELECT n.graph_id, n.node_code || ': ' || count(*) || ' of ' || l.wip_limit
     FROM token t JOIN node n ON n.id = t.current_node_id
     JOIN production.node_limit l ON l.graph_id = n.graph_id AND l.node_code = n.node_code
     WHERE t.status IN ('ready', 'active', 'paused')
     GROUP BY n.graph_id, n.node_code, l.wip_limit HAVING count(*) > l.wip_limit`,
  'parts come together with parts of the same thing only': `SELECT a.token_id, a.group_id::text FROM production.token_join_arrival a JOIN token t ON t.id = a.token_id
     WHERE t.parallel_group_id IS DISTINCT FROM a.group_id
     UNION ALL
     SELECT t.id, t.merged_into_token_id::text FROM token t
     JOIN production.token_parallel_group g ON g.id = t.parallel_group_id
     LEFT JOIN token i ON i.id = t.merged_into_token_id
     WHERE t.status = 'merged' AND t.merged_into_token_id IS DISTINCT FROM g.parent_token_id
       AND i.parallel_group_id IS DISTINCT FROM g.id`,
  'the parts of what has come together have ended, or finish where they are': `SELECT t.id, t.status FROM token t JOIN production.token_parallel_group g ON g.id = t.parallel_group_id
     WHERE g.kind = 'COMPONENT' AND g.merged_at IS NOT NULL AND t.status IN ('waiting', 'ready')`,
  'a thing whose parts are not together waits for them': `SELECT t.id, t.status FROM production.token_parallel_group g JOIN token t ON t.id = g.parent_token_id
     WHERE g.kind = 'COMPONENT' AND g.merged_at IS NULL AND g.timed_out_at IS NULL
       AND t.status NOT IN ('waiting', 'scrapped')
       AND EXISTS (SELECT FROM production.flow_token c WHERE c.parallel_group_id = g.id
                   AND c.status IN ('ready', 'waiting', 'active', 'paused'))`,
  'as many pieces as the job is of, each made once an attempt': `SELECT i.id, count(t.id) FILTER (WHERE t.spawn_seq IS NOT NULL) || ' of ' || j.target_qty
     FROM instance i JOIN production.job_ticket j ON j.id = i.job_ticket_id LEFT JOIN token t ON t.instance_id = i.id
     WHERE i.spawned_at IS NOT NULL
     GROUP BY i.id, j.process_mode, j.target_qty
     HAVING count(t.id) FILTER (WHERE t.spawn_seq IS NOT NULL) <> CASE j.process_mode WHEN 'piece' THEN j.target_qty ELSE 1 END
     UNION ALL
     SELECT t.id, 'made before the start' FROM token t JOIN instance i ON i.id = t.instance_id WHERE i.spawned_at IS NULL`,
  'of each piece there is one, however often it was replaced': `SELECT min(t.id::text)::uuid, l.root::text FROM lineage l JOIN token t ON t.id = l.id
     WHERE t.status IN ('ready', 'waiting', 'active', 'paused', 'completed')
     GROUP BY l.root HAVING count(*) > 1`,
  'an attempt that is over has no live token, and a job that is done has none either': `SELECT t.id, i.status || ' ' || t.status FROM token t JOIN instance i ON i.id = t.instance_id
     JOIN production.job_ticket j ON j.id = i.job_ticket_id
     WHERE t.current_node_id IS NOT NULL AND (i.status NOT IN ('active', 'paused') OR j.status <> 'in_progress')`,
  'a job is done as soon as all its pieces are': `SELECT i.job_ticket_id, i.status FROM instance i
     WHERE i.status IN ('active', 'paused') AND i.spawned_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM token t WHERE t.instance_id = i.id
                       AND (t.current_node_id IS NOT NULL
                            OR t.status = 'scrapped' AND t.token_type <> 'component'
                               AND NOT EXISTS (SELECT FROM token r WHERE r.replaces_token_id = t.id)))`,
  'work and pauses of a session are all the time it took': `SELECT s.id, s.work_seconds || ' + ' || s.pause_seconds FROM session s
     WHERE s.status = 'completed'
       AND abs(s.work_seconds + s.pause_seconds - extract(epoch FROM s.ended_at - s.started_at)) > 0.002`,
  'a visit knows the work that was done on it': `SELECT v.id, v.work_seconds || ' <> ' || coalesce(sum(s.work_seconds), 0)
     FROM production.token_node_visit v JOIN token t ON t.id = v.token_id
     LEFT JOIN session s ON s.token_id = v.token_id AND s.node_id = v.node_id AND s.help_type <> 'assist'
       AND s.started_at >= v.entered_at AND s.started_at <= v.left_at
     WHERE v.left_at IS NOT NULL AND v.outcome <> 'skipped'
     GROUP BY v.id, v.work_seconds HAVING abs(v.work_seconds - coalesce(sum(s.work_seconds), 0)) > 0.005`,
  'every token is made once, and comes to each of its visits once': `SELECT t.id, e.made || ' ' || e.entered || ' ' || v.visits FROM token t
     CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE type = 'TOKEN_CREATE') AS made,
                                count(*) FILTER (WHERE type = 'NODE_ENTER') AS entered
                         FROM production.token_event WHERE token_id = t.id) e
     CROSS JOIN LATERAL (SELECT count(*) AS visits FROM production.token_node_visit WHERE token_id = t.id) v
     WHERE e.made <> 1 OR e.entered <> v.visits`,
  'every step is told to others once': `SELECT t.id, e.steps || ' ' || o.told FROM token t
     CROSS JOIN LATERAL (SELECT count(*) AS steps FROM production.token_event WHERE token_id = t.id) e
     CROSS JOIN LATERAL (SELECT count(*) AS told FROM platform.outbox
                         WHERE name = 'production.token-event' AND body ->> 'tokenId' = t.id::text) o
     WHERE e.steps <> o.told`,
};

/** Rules whose cost grows with all that was ever announced; they are looked at once, at the end. */
const atTheEnd = new Set(['every step is told to others once']);

const scope = `
  WITH RECURSIVE instance AS MATERIALIZED (
    SELECT * FROM production.job_graph_instance WHERE job_ticket_id = ANY ($1::uuid[])),
  token AS MATERIALIZED (
    SELECT * FROM production.flow_token WHERE instance_id IN (SELECT id FROM instance)),
  session AS MATERIALIZED (
    SELECT * FROM production.token_work_session WHERE token_id IN (SELECT id FROM token)),
  assignment AS MATERIALIZED (
    SELECT * FROM production.token_assignment WHERE token_id IN (SELECT id FROM token)),
  node AS MATERIALIZED (
    SELECT n.id, n.node_code, v.graph_id FROM production.routing_node n
    JOIN production.routing_graph_version v ON v.id = n.graph_version_id
    WHERE v.id IN (SELECT graph_version_id FROM instance)),
  lineage AS (
    SELECT id, id AS root FROM token WHERE replaces_token_id IS NULL
    UNION ALL
    SELECT t.id, l.root FROM lineage l JOIN token t ON t.replaces_token_id = l.id)`;

/** One statement, so that all rules look at one and the same state. */
function statementOf(rules: readonly (readonly [string, string])[]): string {
  const parts = rules.map(
    ([rule, sql]) => `SELECT '${rule}' AS rule, found.id::text, found.detail FROM (${sql}) AS found (id, detail)`,
  );
  return `${scope} ${parts.join(' UNION ALL ')}`;
}

const always = statementOf(Object.entries(invariants).filter(([rule]) => !atTheEnd.has(rule)));
const all = statementOf(Object.entries(invariants));

/** What is broken now, in the state that is committed. */
export function breaches(api: TestApi, ticketIds: readonly string[]): Promise<Breach[]> {
  return api.rows<Breach & Record<string, unknown>>(always, [ticketIds]);
}

/** As `breaches`, and what takes longer to look at. */
export function allBreaches(api: TestApi, ticketIds: readonly string[]): Promise<Breach[]> {
  return api.rows<Breach & Record<string, unknown>>(all, [ticketIds]);
}
