import { statement } from '@belay/platform';

export const sitesOfOperator = statement<{ siteId: string }>(
  'assignment.sites_of_operator',
  `SELECT DISTINCT t.site_id AS "siteId"
   FROM directory.public_team_member m JOIN directory.public_team t ON t.id = m.team_id
   WHERE m.operator_id = $1::uuid`,
);

export const sitesOfTeam = statement<{ siteId: string }>(
  'assignment.sites_of_team',
  `SELECT site_id AS "siteId" FROM directory.public_team WHERE id = $1::uuid`,
);

export const ledTeams = statement<{ teamId: string }>(
  'assignment.led_teams',
  `SELECT team_id AS "teamId" FROM directory.public_team_member
   WHERE operator_id = $1::uuid AND role = 'lead' AND active ORDER BY team_id`,
);
