import { statement } from '@belay/platform';
import type { WorkCenterView } from './work-center.contract.js';

export type WorkCenterRow = Omit<WorkCenterView, 'createdAt'> & { readonly createdAt: Date };

const columns = `id, site_id AS "siteId", code, name, wip_limit AS "wipLimit", concurrency_limit AS "concurrencyLimit",
  queue_limit AS "queueLimit", active, created_at AS "createdAt", row_version AS "rowVersion"`;

/** $1 the sites the caller may see, $2 pattern, $3 site, $4 active, $5 and $6 the row to go on after, $7 rows. */
export const workCenterList = statement<WorkCenterRow>(
  'production.work_center_list',
  `SELECT ${columns} FROM production.work_center
   WHERE ($1::uuid[] IS NULL OR site_id = ANY ($1)) AND ($2::text IS NULL OR name ILIKE $2 OR code ILIKE $2)
     AND ($3::uuid IS NULL OR site_id = $3) AND ($4::boolean IS NULL OR active = $4)
     AND ($6::uuid IS NULL OR (code, id) > ($5::text, $6))
   ORDER BY code, id LIMIT $7`,
);

/** $1 id, $2 site, $3 code, $4 name, $5 work in progress, $6 concurrency, $7 queue; none where there is no such site. */
export const addWorkCenter = statement<WorkCenterRow>(
  'production.add_work_center',
  `INSERT INTO production.work_center (id, site_id, code, name, wip_limit, concurrency_limit, queue_limit)
   SELECT $1, s.id, $3, $4, $5, $6, $7 FROM directory.public_site s WHERE s.id = $2 AND s.active
   RETURNING ${columns}`,
);

export const lockWorkCenter = statement<WorkCenterRow>(
  'production.lock_work_center',
  `SELECT ${columns} FROM production.work_center WHERE id = $1 FOR NO KEY UPDATE`,
);

/** $1 id, $2 name, $3 work in progress, $4 concurrency, $5 queue, $6 active. */
export const changeWorkCenterRow = statement<WorkCenterRow>(
  'production.change_work_center',
  `UPDATE production.work_center
   SET name = $2, wip_limit = $3, concurrency_limit = $4, queue_limit = $5, active = $6
   WHERE id = $1 RETURNING ${columns}`,
);
