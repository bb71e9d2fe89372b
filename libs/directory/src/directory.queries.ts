import { statement } from '@belay/platform';
import type { AccountKind, AccountStatus } from './accounts/account.entity.js';
import type { RoleAt } from './directory.permissions.js';

export interface AccountRow {
  readonly id: string;
  readonly kind: AccountKind;
  readonly status: AccountStatus;
  readonly locale: string;
  readonly roles: readonly RoleAt[];
}

export const accountsById = statement<AccountRow>(
  'directory.accounts_by_id',
  `SELECT a.id, a.kind, a.status, a.locale,
          coalesce((SELECT jsonb_agg(jsonb_build_object('role', r.role, 'siteId', r.site_id) ORDER BY r.role, r.site_id)
                    FROM directory.account_role r WHERE r.account_id = a.id), '[]') AS roles
   FROM directory.account a WHERE a.id = ANY ($1::uuid[])`,
);

/** Active people who hold one of the roles anywhere. */
export const holdersOf = statement<{ readonly role: string; readonly accountIds: string[] }>(
  'directory.holders_of',
  `SELECT r.role, array_agg(DISTINCT a.id ORDER BY a.id) AS "accountIds"
   FROM directory.account_role r JOIN directory.account a ON a.id = r.account_id
   WHERE r.role = ANY ($1::text[]) AND a.status = 'active' AND a.kind = 'person' GROUP BY r.role`,
);

/** Active people who belong to one of the sites by a role or a team there; a role held everywhere makes nobody staff. */
export const staffOf = statement<{ readonly siteId: string; readonly accountIds: string[] }>(
  'directory.staff_of',
  `SELECT p.site_id AS "siteId", array_agg(DISTINCT a.id ORDER BY a.id) AS "accountIds"
   FROM (SELECT site_id, account_id FROM directory.account_role WHERE site_id = ANY ($1::uuid[])
         UNION
         SELECT t.site_id, m.account_id FROM directory.team_member m JOIN directory.team t ON t.id = m.team_id
         WHERE t.site_id = ANY ($1::uuid[]) AND m.removed_at IS NULL) p
   JOIN directory.account a ON a.id = p.account_id
   WHERE a.status = 'active' AND a.kind = 'person' GROUP BY p.site_id`,
);
