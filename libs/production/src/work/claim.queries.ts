import { statement } from '@belay/platform';

/** Whether the team `team` may take up work at the node `node` of a job at the site; columns as the views name them. */
export const mayClaim = (team: string, node: string, site: string) => `(
  ${team}.active AND ${team}.site_id = ${site}
  AND (${node}.team_category IS NULL OR ${team}.team_category IN (${node}.team_category, 'general'))
  AND (${team}.production_mode IN (${node}.production_mode, 'hybrid') OR ${node}.production_mode = 'hybrid')
  AND (${node}.allowed_team_ids = '{}' OR ${team}.id = ANY (${node}.allowed_team_ids))
  AND ${team}.id <> ALL (${node}.forbidden_team_ids))`;

/** People who may claim work at the node $1 of a job at the site $2. */
export const headcountOf = statement<{ people: number }>(
  'production.headcount_of',
  `SELECT count(DISTINCT m.operator_id)::integer AS people
   FROM production.routing_node n
   JOIN directory.public_team t ON ${mayClaim('t', 'n', '$2::uuid')}
   JOIN directory.public_team_member m ON m.team_id = t.id AND m.active
   WHERE n.id = $1::uuid`,
);

export interface TeamOfOperator {
  readonly teamId: string;
  readonly role: 'lead' | 'supervisor' | 'qc' | 'member' | 'trainee';
  readonly mayClaim: boolean;
}

/** The teams that the operator $1 is an active member of, and whether each may claim work at the node $2 at the site $3. */
export const teamsOfOperator = statement<TeamOfOperator>(
  'production.teams_of_operator',
  `SELECT t.id AS "teamId", m.role, ${mayClaim('t', 'n', '$3::uuid')} AS "mayClaim"
   FROM directory.public_team_member m
   JOIN directory.public_team t ON t.id = m.team_id AND t.active
   JOIN production.routing_node n ON n.id = $2::uuid
   WHERE m.operator_id = $1::uuid AND m.active
   ORDER BY t.id`,
);

export interface KnownTarget {
  readonly teamId: string;
  readonly productionMode: 'atelier' | 'oem' | 'hybrid';
  readonly siteId: string;
}

/** The active team $1, or the active teams of the operator $2; none when the target is not to be had. */
export const targetTeams = statement<KnownTarget>(
  'production.target_teams',
  `SELECT t.id AS "teamId", t.production_mode AS "productionMode", t.site_id AS "siteId"
   FROM directory.public_team t
   WHERE t.active AND (t.id = $1::uuid OR EXISTS (
     SELECT FROM directory.public_team_member m WHERE m.team_id = t.id AND m.operator_id = $2::uuid AND m.active))
   ORDER BY t.id`,
);

/** Whether the account $1 leads the team $2, or a team of the operator $3. */
export const leads = statement<{ readonly leads: boolean }>(
  'production.leads',
  `SELECT EXISTS (
     SELECT FROM directory.public_team_member l
     WHERE l.operator_id = $1::uuid AND l.role = 'lead' AND l.active
       AND (l.team_id = $2::uuid
            OR EXISTS (SELECT FROM directory.public_team_member m
                       WHERE m.team_id = l.team_id AND m.operator_id = $3::uuid AND m.active))) AS leads`,
);

/** Of the tokens $1, those that there are. */
export const knownTokens = statement<{ readonly id: string }>(
  'production.known_tokens',
  `SELECT id FROM production.flow_token WHERE id = ANY ($1::uuid[])`,
);
