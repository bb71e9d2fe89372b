import { statement } from '@belay/platform';
import type { GraphItem } from './graph.contract.js';

export type GraphRow = Omit<GraphItem, 'createdAt'> & { readonly createdAt: Date; readonly draft: unknown };

const latest = `(SELECT max(v.version) FROM production.routing_graph_version v WHERE v.graph_id = g.id) AS "latestVersion"`;
const columns = `g.id, g.code, g.name, g.production_mode AS "productionMode", g.status, ${latest},
  g.created_at AS "createdAt", g.row_version AS "rowVersion"`;

/** $1 pattern, $2 status, $3 and $4 the row to go on after, $5 rows. */
export const graphList = statement<Omit<GraphRow, 'draft'>>(
  'production.graph_list',
  `SELECT ${columns} FROM production.routing_graph g
   WHERE ($1::text IS NULL OR g.name ILIKE $1 OR g.code ILIKE $1) AND ($2::text IS NULL OR g.status = $2)
     AND ($4::uuid IS NULL OR (g.code, g.id) > ($3::text, $4))
   ORDER BY g.code, g.id LIMIT $5`,
);

export const graphById = statement<GraphRow>(
  'production.graph_by_id',
  `SELECT ${columns}, g.draft FROM production.routing_graph g WHERE g.id = $1`,
);

/** Holds the graph until the transaction ends; read it afterwards. */
export const lockGraph = statement(
  'production.lock_graph',
  `SELECT FROM production.routing_graph WHERE id = $1 FOR NO KEY UPDATE`,
);

/** $1 id, $2 code, $3 name, $4 way of production, $5 draft. */
export const addGraph = statement(
  'production.add_graph',
  `INSERT INTO production.routing_graph (id, code, name, production_mode, draft) VALUES ($1, $2, $3, $4, $5)`,
);

/** The same parameters as `addGraph`. */
export const saveGraph = statement(
  'production.save_graph',
  `UPDATE production.routing_graph SET code = $2, name = $3, production_mode = $4, draft = $5 WHERE id = $1`,
);

/** Archives the graph $1; none of its versions takes new jobs any more. */
export const archiveGraph = statement(
  'production.archive_graph',
  `WITH versions AS (
     UPDATE production.routing_graph_version SET status = 'retired', allow_new_jobs = false
     WHERE graph_id = $1 AND (status <> 'retired' OR allow_new_jobs))
   UPDATE production.routing_graph SET status = 'archived' WHERE id = $1`,
);

/** Of the teams $1 and the work centres $2 those that are in use. */
export const placesInUse = statement<{ teams: string[]; workCenters: string[] }>(
  'production.places_in_use',
  `SELECT ARRAY(SELECT id FROM directory.public_team WHERE active AND id = ANY ($1::uuid[])) AS teams,
          ARRAY(SELECT id FROM production.work_center WHERE active AND id = ANY ($2::uuid[])) AS "workCenters"`,
);
