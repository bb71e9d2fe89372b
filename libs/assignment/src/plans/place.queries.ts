import { statement } from '@belay/platform';

export interface PlannedTeam {
  readonly id: string;
  readonly siteId: string;
  readonly productionMode: 'atelier' | 'oem' | 'hybrid';
}

/** The active team $1. */
export const plannedTeam = statement<PlannedTeam>(
  'assignment.planned_team',
  `SELECT id, site_id AS "siteId", production_mode AS "productionMode" FROM directory.public_team
   WHERE id = $1::uuid AND active`,
);

/** The teams that the operator $1 is in. */
export const teamsOfOperator = statement<PlannedTeam>(
  'assignment.teams_of_operator',
  `SELECT t.id, t.site_id AS "siteId", t.production_mode AS "productionMode"
   FROM directory.public_team_member m JOIN directory.public_team t ON t.id = m.team_id
   WHERE m.operator_id = $1::uuid AND m.active ORDER BY m.sort_priority, t.id`,
);
