import { statement } from '@belay/platform';
import type { ProposalStatus } from './proposal.contract.js';

export interface ProposalRow {
  readonly id: string;
  readonly warehouse: string;
  readonly warehouseId: string;
  readonly status: ProposalStatus;
  readonly adjustment: unknown;
  readonly units: string;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly movementId: string | null;
  readonly rowVersion: number;
}

const columns = `
  p.id, w.code AS warehouse, p.warehouse_id AS "warehouseId", p.status, p.adjustment, p.units, p.created_by AS "createdBy",
  p.created_at AS "createdAt", p.decided_by AS "decidedBy", p.decided_at AS "decidedAt", p.movement_id AS "movementId",
  p.row_version AS "rowVersion"
  FROM wms.adjustment_proposal p JOIN wms.warehouse w ON w.id = p.warehouse_id`;

/** The proposal $1, at the sites $2 only, or at all when null. */
export const proposalById = statement<ProposalRow>(
  'wms.adjustment_proposal_by_id',
  `SELECT ${columns} WHERE p.id = $1::uuid AND ($2::uuid[] IS NULL OR w.site_id = ANY ($2))`,
);

/** Newest first: $1 sites, $2 warehouse, $3 status, $4 the one to go on after, $5 rows. */
export const proposalList = statement<ProposalRow>(
  'wms.adjustment_proposals',
  `SELECT ${columns}
   WHERE ($1::uuid[] IS NULL OR w.site_id = ANY ($1)) AND ($2::uuid IS NULL OR p.warehouse_id = $2)
     AND ($3::text IS NULL OR p.status = $3) AND ($4::uuid IS NULL OR p.id < $4)
   ORDER BY p.id DESC LIMIT $5`,
);

/** The proposal $1 in the warehouse $2: the adjustment $3 of $4 units, by $5. */
export const insertProposal = statement(
  'wms.insert_adjustment_proposal',
  `INSERT INTO wms.adjustment_proposal (id, warehouse_id, adjustment, units, created_by)
   VALUES ($1, $2, $3::jsonb, $4, $5)`,
);

export const lockProposal = statement<{ id: string }>(
  'wms.lock_adjustment_proposal',
  `SELECT id FROM wms.adjustment_proposal WHERE id = $1::uuid FOR NO KEY UPDATE`,
);

/** The proposal $1 becomes $2 by $3, with the movement $4. */
export const decideProposal = statement(
  'wms.decide_adjustment_proposal',
  `UPDATE wms.adjustment_proposal SET status = $2, decided_by = $3, decided_at = clock_timestamp(), movement_id = $4
   WHERE id = $1::uuid`,
);
