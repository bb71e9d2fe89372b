import { statement } from '@belay/platform';

export interface NodeProgressRow {
  readonly nodeId: string;
  readonly live: number;
  readonly held: number;
  readonly active: number;
  readonly paused: number;
  readonly liveQty: number;
  readonly passedQty: number;
  readonly scrappedQty: number;
}

/** What stands at each node of the instance $1, and what has been there. Nodes that nothing ever came to are left out. */
export const nodeProgress = statement<NodeProgressRow>(
  'production.node_progress',
  `WITH live AS (
     SELECT current_node_id AS node_id, count(*)::integer AS live,
            (count(*) FILTER (WHERE hold_code IS NOT NULL))::integer AS held,
            (count(*) FILTER (WHERE status IN ('ready', 'active')))::integer AS active,
            (count(*) FILTER (WHERE status = 'paused'))::integer AS paused, sum(qty)::float8 AS live_qty
     FROM production.flow_token
     WHERE instance_id = $1 AND status IN ('ready', 'waiting', 'active', 'paused') GROUP BY current_node_id),
   gone AS (
     SELECT v.node_id, coalesce(sum(t.qty) FILTER (WHERE v.outcome <> 'scrapped'), 0)::float8 AS passed_qty,
            coalesce(sum(t.qty) FILTER (WHERE v.outcome = 'scrapped'), 0)::float8 AS scrapped_qty
     FROM production.flow_token t JOIN production.token_node_visit v ON v.token_id = t.id
     WHERE t.instance_id = $1 AND v.left_at IS NOT NULL GROUP BY v.node_id)
   SELECT coalesce(l.node_id, g.node_id) AS "nodeId", coalesce(l.live, 0) AS live, coalesce(l.held, 0) AS held,
          coalesce(l.active, 0) AS active, coalesce(l.paused, 0) AS paused, coalesce(l.live_qty, 0) AS "liveQty",
          coalesce(g.passed_qty, 0) AS "passedQty", coalesce(g.scrapped_qty, 0) AS "scrappedQty"
   FROM live l FULL JOIN gone g ON g.node_id = l.node_id`,
);

/** Of the top-level tokens of the instance $1: parts of a piece are counted with the piece. */
export const quantities = statement<{
  readonly completedQty: number;
  readonly scrappedQty: number;
  readonly liveQty: number;
}>(
  'production.instance_quantities',
  `SELECT coalesce(sum(qty) FILTER (WHERE status = 'completed'), 0)::float8 AS "completedQty",
          coalesce(sum(qty) FILTER (WHERE status = 'scrapped'), 0)::float8 AS "scrappedQty",
          coalesce(sum(qty) FILTER (WHERE status IN ('ready', 'waiting', 'active', 'paused')), 0)::float8 AS "liveQty"
   FROM production.flow_token WHERE instance_id = $1 AND token_type <> 'component'`,
);

export interface StationRow {
  readonly nodeCode: string;
  readonly status: 'pending' | 'in_progress' | 'completed' | 'skipped';
  readonly goodQty: number;
  readonly scrapQty: number;
}

/** What the stations have told of the job $1. */
export const stationProgress = statement<StationRow>(
  'production.station_progress_of',
  `SELECT node_code AS "nodeCode", status, good_qty::float8 AS "goodQty", scrap_qty::float8 AS "scrapQty"
   FROM production.station_progress WHERE job_ticket_id = $1`,
);
