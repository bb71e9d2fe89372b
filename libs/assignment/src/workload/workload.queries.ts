import { statement } from '@belay/platform';
import type { LoadMode } from '../resolver/load.rules.js';

export interface MemberInScope {
  readonly teamId: string;
  readonly loadMode: LoadMode;
  readonly operatorId: string;
  readonly capacityPerDay: number;
  /** When the day began at the site of the team. */
  readonly since: Date;
}

/** Operators of the teams $1 at the sites $2 (all when null), and of the teams $3 wherever they are. */
export const membersInScope = statement<MemberInScope>(
  'assignment.members_in_scope',
  `SELECT t.id AS "teamId", t.load_mode AS "loadMode", m.operator_id AS "operatorId", m.capacity_per_day AS "capacityPerDay",
          (clock_timestamp() AT TIME ZONE s.time_zone)::date::timestamp AT TIME ZONE s.time_zone AS since
   FROM directory.public_team t
   JOIN directory.public_site s ON s.id = t.site_id
   JOIN directory.public_team_member m ON m.team_id = t.id AND m.active
   WHERE t.active AND ($1::uuid[] IS NULL OR t.id = ANY ($1))
     AND ($2::uuid[] IS NULL OR t.site_id = ANY ($2) OR t.id = ANY ($3::uuid[]))
   ORDER BY t.id, m.sort_priority, m.operator_id`,
);

/** Teams with people, as above: $4 of that site only, $5 the team to go on after, $6 rows. */
export const teamsInScope = statement<{
  teamId: string;
  code: string;
  name: string;
  siteId: string;
  loadMode: LoadMode;
}>(
  'assignment.teams_in_scope',
  `SELECT t.id AS "teamId", t.code, t.name, t.site_id AS "siteId", t.load_mode AS "loadMode"
   FROM directory.public_team t
   WHERE t.active AND ($1::uuid[] IS NULL OR t.id = ANY ($1))
     AND ($2::uuid[] IS NULL OR t.site_id = ANY ($2) OR t.id = ANY ($3::uuid[]))
     AND ($4::uuid IS NULL OR t.site_id = $4)
     AND ($5::uuid IS NULL OR t.id > $5)
   ORDER BY t.id LIMIT $6`,
);
