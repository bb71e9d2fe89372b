import { statement } from '@belay/platform';

export interface SkillRow {
  readonly accountId: string;
  readonly skillCode: string;
  readonly level: number;
  readonly certifiedAt: string | null;
  readonly expiresAt: string | null;
  readonly rowVersion: number;
}

const columns = `account_id AS "accountId", skill_code AS "skillCode", level, certified_at AS "certifiedAt",
  expires_at AS "expiresAt", row_version AS "rowVersion"`;

/** $1 account, $2 the code to go on after, $3 rows. */
export const skillList = statement<SkillRow>(
  'directory.skill_list',
  `SELECT ${columns} FROM directory.operator_skill
   WHERE account_id = $1 AND ($2::text IS NULL OR skill_code > $2) ORDER BY skill_code LIMIT $3`,
);

/** Skills of the accounts $1 that count on the day $2 and reach the level $3. */
export const skillsOn = statement<SkillRow>(
  'directory.skills_on',
  `SELECT ${columns} FROM directory.operator_skill
   WHERE account_id = ANY ($1::uuid[]) AND level >= $3
     AND (certified_at IS NULL OR certified_at <= $2::date) AND (expires_at IS NULL OR expires_at >= $2::date)
   ORDER BY account_id, skill_code`,
);

export const saveSkill = statement<SkillRow>(
  'directory.save_skill',
  `INSERT INTO directory.operator_skill AS s (account_id, skill_code, level, certified_at, expires_at, row_version)
   VALUES ($1, $2, $3, $4, $5, 1)
   ON CONFLICT (account_id, skill_code) DO UPDATE SET level = excluded.level, certified_at = excluded.certified_at,
     expires_at = excluded.expires_at, row_version = s.row_version + 1
   RETURNING ${columns}`,
);

export const deleteSkill = statement<{ skillCode: string }>(
  'directory.delete_skill',
  `DELETE FROM directory.operator_skill WHERE account_id = $1 AND skill_code = $2 RETURNING skill_code AS "skillCode"`,
);

/** Whether $1 leads a team that $2 is in. */
export const leads = statement<{ leads: boolean }>(
  'directory.leads',
  `SELECT EXISTS (
     SELECT FROM directory.team_member mine JOIN directory.team_member theirs ON theirs.team_id = mine.team_id
     WHERE mine.account_id = $1 AND mine.role = 'lead' AND mine.active AND mine.removed_at IS NULL
       AND theirs.account_id = $2 AND theirs.removed_at IS NULL) AS leads`,
);
