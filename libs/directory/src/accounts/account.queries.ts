import { statement, type Grant } from '@belay/platform';
import { mayRead, open, seenColumns, seenFrom, type SeenRow } from '../people/person.queries.js';
import type { RoleAt } from '../directory.permissions.js';
import type { ConsentValue } from '../people/consent.entity.js';
import type { AccountKind, AccountStatus } from './account.entity.js';

export interface AccountRow extends SeenRow {
  readonly locale: string;
  readonly consent: ConsentValue | null;
  readonly roles: RoleAt[];
  readonly permissions: Grant[];
  readonly createdAt: Date;
  readonly rowVersion: number;
}

const held = `
  coalesce((SELECT jsonb_agg(jsonb_build_object('role', r.role, 'siteId', r.site_id) ORDER BY r.role, r.site_id)
            FROM directory.account_role r WHERE r.account_id = a.id), '[]') AS roles,
  coalesce((SELECT jsonb_agg(jsonb_build_object('permission', n.permission, 'siteId', n.site_id) ORDER BY n.permission, n.site_id)
            FROM directory.account_permission n WHERE n.account_id = a.id), '[]') AS permissions`;

const columns = `${seenColumns}, a.locale, c.value AS consent, a.created_at AS "createdAt", a.row_version AS "rowVersion", ${held}`;

/** $1 to $4 the viewer, $5 the sites they may read at, $6 the account. */
export const accountById = statement<AccountRow>(
  'directory.account_by_id',
  `SELECT ${columns} ${seenFrom} WHERE a.id = $6 AND ${mayRead}`,
);

export interface ListedAccount extends AccountRow {
  readonly sortMasked: boolean;
  readonly sortName: string;
}

/**
 * By name, then id. People whose name the viewer does not see in full follow in the order of their ids, and are found by
 * nothing but what the viewer sees of them: neither the order nor a search gives a masked value away. The pattern is
 * matched twice: first against everything, which the trigram index can answer, then against what is open.
 * $1 to $5 as above, $6 pattern, $7 team, $8 site, $9 role, $10 status, $11 to $13 the row to go on after, $14 rows.
 */
export const accountList = statement<ListedAccount>(
  'directory.account_list',
  `SELECT ${columns}, sort.masked AS "sortMasked", sort.name AS "sortName"
   ${seenFrom}
   CROSS JOIN LATERAL (
     SELECT NOT ${open('name')} AS masked, CASE WHEN ${open('name')} THEN lower(a.display_name) ELSE '' END AS name
   ) sort
   WHERE ${mayRead}
     AND ($6::text IS NULL OR a.display_name ILIKE $6 OR a.username ILIKE $6 OR a.email ILIKE $6 OR a.employee_no ILIKE $6)
     AND ($6::text IS NULL
       OR a.display_name ILIKE $6 AND ${open('name')}
       OR a.username ILIKE $6 AND ${open('username')}
       OR a.email ILIKE $6 AND ${open('email')}
       OR a.employee_no ILIKE $6 AND ${open('employee_no')})
     AND ($7::uuid IS NULL OR EXISTS (
       SELECT FROM directory.team_member m WHERE m.account_id = a.id AND m.team_id = $7 AND m.removed_at IS NULL))
     AND ($8::uuid IS NULL OR place.everywhere OR $8 = ANY (place.sites))
     AND ($9::text IS NULL OR EXISTS (
       SELECT FROM directory.account_role r WHERE r.account_id = a.id AND r.role = $9))
     AND ($10::text IS NULL OR a.status = $10)
     AND ($13::uuid IS NULL OR (sort.masked, sort.name, a.id) > ($11::boolean, $12::text, $13))
   ORDER BY sort.masked, sort.name, a.id
   LIMIT $14`,
);

export interface HeldRow {
  readonly id: string;
  readonly username: string;
  readonly kind: AccountKind;
  readonly status: AccountStatus;
  readonly mustChangePassword: boolean;
  readonly roles: RoleAt[];
  readonly permissions: Grant[];
}

const heldColumns = `a.id, a.username, a.kind, a.status, a.must_change_password AS "mustChangePassword", ${held}`;

/** $2: the sign-in that is being used, or null; one that has been ended finds nothing. */
export const heldById = statement<HeldRow>(
  'directory.held_by_id',
  `SELECT ${heldColumns} FROM directory.account a
   WHERE a.id = $1 AND NOT EXISTS (
     SELECT FROM directory.refresh_token t WHERE t.family = $2::uuid AND t.revoked_at IS NOT NULL)`,
);

export const heldByIds = statement<HeldRow>(
  'directory.held_by_ids',
  `SELECT ${heldColumns} FROM directory.account a WHERE a.id = ANY ($1::uuid[])`,
);

export const heldByEmail = statement<HeldRow>(
  'directory.held_by_email',
  `SELECT ${heldColumns} FROM directory.account a WHERE a.email = lower($1)`,
);

export const heldByUsername = statement<HeldRow>(
  'directory.held_by_username',
  `SELECT ${heldColumns} FROM directory.account a WHERE a.username = lower($1)`,
);

export interface TokenRow extends HeldRow {
  readonly tokenId: string;
  readonly scopes: string[];
  readonly siteId: string | null;
  readonly expiresAt: Date;
}

export const heldByApiToken = statement<TokenRow>(
  'directory.held_by_api_token',
  `SELECT ${heldColumns}, t.id AS "tokenId", t.scopes, t.site_id AS "siteId", t.expires_at AS "expiresAt"
   FROM directory.api_token t JOIN directory.account a ON a.id = t.account_id
   WHERE t.hash = $1 AND t.revoked_at IS NULL`,
);

export const noteTokenUse = statement(
  'directory.note_token_use',
  `UPDATE directory.api_token SET last_used_at = greatest(last_used_at, $2) WHERE id = $1`,
);

/** Everything by which the account could go on being used, except a password. */
export const revokeTokens = statement(
  'directory.revoke_tokens',
  `WITH refresh AS (
     UPDATE directory.refresh_token SET revoked_at = clock_timestamp() WHERE account_id = $1 AND revoked_at IS NULL)
   UPDATE directory.api_token SET revoked_at = clock_timestamp() WHERE account_id = $1 AND revoked_at IS NULL`,
);

export const revokeSignIns = statement(
  'directory.revoke_sign_ins',
  `UPDATE directory.refresh_token SET revoked_at = clock_timestamp() WHERE account_id = $1 AND revoked_at IS NULL`,
);

/** Lets one transaction at a time decide who remains an administrator; the next one sees what it decided. */
export const lockAdmins = statement(
  'directory.lock_admins',
  `SELECT pg_advisory_xact_lock(hashtextextended('directory.admins', 0))`,
);

/** People other than $1 who administer every site and can sign in. */
export const otherAdmins = statement<{ others: string }>(
  'directory.other_admins',
  `SELECT count(*) AS others FROM directory.account_role r JOIN directory.account a ON a.id = r.account_id
   WHERE r.role = 'admin' AND r.site_id IS NULL AND a.status = 'active' AND a.kind = 'person' AND a.id <> $1`,
);

export const isAdmin = statement<{ admin: boolean }>(
  'directory.is_admin',
  `SELECT EXISTS (SELECT FROM directory.account_role r JOIN directory.account a ON a.id = r.account_id
                  WHERE a.id = $1 AND a.status = 'active' AND a.kind = 'person'
                    AND r.role = 'admin' AND r.site_id IS NULL) AS admin`,
);
