import { statement } from '@belay/platform';
import type { MemberRole } from './team-member.entity.js';
import type { Team } from './team.entity.js';

type TeamRow = Team & { readonly sortName: string };

const columns = `t.id, t.code, t.name, t.site_id AS "siteId", t.team_category AS "teamCategory",
  t.production_mode AS "productionMode", t.load_mode AS "loadMode", t.dispatch_mode AS "dispatchMode", t.active,
  t.created_at AS "createdAt", t.row_version AS "rowVersion"`;

/** $1 the sites the caller may see, $2 pattern, $3 site, $4 category, $5 active, $6 and $7 the row to go on after, $8 rows. */
export const teamList = statement<TeamRow>(
  'directory.team_list',
  `SELECT ${columns}, lower(t.name) AS "sortName" FROM directory.team t
   WHERE ($1::uuid[] IS NULL OR t.site_id = ANY ($1))
     AND ($2::text IS NULL OR t.name ILIKE $2 OR t.code ILIKE $2)
     AND ($3::uuid IS NULL OR t.site_id = $3)
     AND ($4::text IS NULL OR t.team_category = $4)
     AND ($5::boolean IS NULL OR t.active = $5)
     AND ($7::uuid IS NULL OR (lower(t.name), t.id) > ($6::text, $7))
   ORDER BY lower(t.name), t.id LIMIT $8`,
);

export const teamsById = statement<Team>(
  'directory.teams_by_id',
  `SELECT ${columns} FROM directory.team t WHERE t.id = ANY ($1::uuid[])`,
);

export const teamsAtSites = statement<Team>(
  'directory.teams_at_sites',
  `SELECT ${columns} FROM directory.team t WHERE t.site_id = ANY ($1::uuid[]) ORDER BY t.code`,
);

export interface MemberRow {
  readonly id: string;
  readonly teamId: string;
  readonly accountId: string;
  readonly role: MemberRole;
  readonly capacityPerDay: number;
  readonly sortPriority: number;
  readonly active: boolean;
  readonly joinedAt: Date;
}

const member = `m.id, m.team_id AS "teamId", m.account_id AS "accountId", m.role, m.capacity_per_day AS "capacityPerDay",
  m.sort_priority AS "sortPriority", m.active, m.joined_at AS "joinedAt"`;

/** By priority, then id: the order of their names is not for everybody. $2 and $3 the row to go on after, $4 rows. */
export const memberList = statement<MemberRow>(
  'directory.member_list',
  `SELECT ${member} FROM directory.team_member m
   WHERE m.team_id = $1 AND m.removed_at IS NULL
     AND ($3::uuid IS NULL OR (m.sort_priority, m.id) > ($2::integer, $3))
   ORDER BY m.sort_priority, m.id LIMIT $4`,
);

/** An operator is who is active in the membership, the team and the account. */
const operator = `m.active AND t.active AND a.status = 'active' AS operator`;

const memberJoins = `FROM directory.team_member m
  JOIN directory.team t ON t.id = m.team_id
  JOIN directory.account a ON a.id = m.account_id`;

export const membersOf = statement<MemberRow & { readonly operator: boolean }>(
  'directory.members_of',
  `SELECT ${member}, ${operator} ${memberJoins}
   WHERE m.team_id = ANY ($1::uuid[]) AND m.removed_at IS NULL ORDER BY m.sort_priority, m.account_id`,
);

export const membershipsOf = statement<MemberRow & { readonly operator: boolean; readonly siteId: string }>(
  'directory.memberships_of',
  `SELECT ${member}, ${operator}, t.site_id AS "siteId" ${memberJoins}
   WHERE m.account_id = ANY ($1::uuid[]) AND m.removed_at IS NULL ORDER BY m.team_id`,
);

/** Puts the account into the team or changes its part in it. $1 a new id, $2 team, $3 account. */
export const placeInTeam = statement<MemberRow>(
  'directory.place_in_team',
  `INSERT INTO directory.team_member AS m
     (id, team_id, account_id, role, capacity_per_day, sort_priority, active, row_version)
   VALUES ($1, $2, $3, $4, $5, $6, $7, 1)
   ON CONFLICT (team_id, account_id) WHERE removed_at IS NULL DO UPDATE SET
     role = excluded.role, capacity_per_day = excluded.capacity_per_day, sort_priority = excluded.sort_priority,
     active = excluded.active, row_version = m.row_version + 1
   RETURNING ${member}`,
);

export const removeFromTeam = statement<{ id: string }>(
  'directory.remove_from_team',
  `UPDATE directory.team_member SET removed_at = clock_timestamp(), row_version = row_version + 1
   WHERE team_id = $1 AND account_id = $2 AND removed_at IS NULL RETURNING id`,
);
