import { statement, type Caller } from '@belay/platform';
import { UNMASKED } from '../directory.permissions.js';
import type { SeenPerson } from './person.rules.js';

/** The sites at which the caller holds the permission, as a parameter of SQL: null stands for all. */
export function sitesValue(by: Caller, permission: string): readonly string[] | null {
  const held = by.sitesFor(permission);
  return held === 'all' ? null : held;
}

/** The caller as the parameters $1 to $4 of every query that looks at people. */
export function viewerValues(by: Caller): readonly unknown[] {
  const permissions = ['people.operator:detail', 'directory.account:write', UNMASKED];
  return [by.accountId, ...permissions.map((permission) => sitesValue(by, permission))];
}

/** Whether the viewer holds the permission behind the parameter at a site the account belongs to. */
const at = (parameter: string) =>
  `(${parameter}::uuid[] IS NULL OR place.everywhere AND cardinality(${parameter}::uuid[]) > 0 OR place.sites && ${parameter}::uuid[])`;

/** Whether the viewer may know of the account at all; the sites they may read at are $5. */
export const mayRead = `(a.id = $1::uuid OR ${at('$5')})`;

/**
 * Every account `a` with how far the viewer may look at it. The order decides: oneself and machines in full; what the
 * person agreed to; what the viewer's relation to the person allows; the stricter of the two wins. Who was never asked
 * is shown by the relation alone. It is decided here, in SQL, because search and order must follow it too: a list that
 * is sorted or searched by a masked name gives the name away.
 */
export const seenFrom = `
  FROM directory.account a
  LEFT JOIN directory.consent c ON c.account_id = a.id
  CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(p.site_id) FILTER (WHERE p.site_id IS NOT NULL), '{}') AS sites,
           coalesce(bool_or(p.site_id IS NULL), false) AS everywhere
    FROM (SELECT r.site_id FROM directory.account_role r WHERE r.account_id = a.id
          UNION
          SELECT t.site_id FROM directory.team_member m JOIN directory.team t ON t.id = m.team_id
          WHERE m.account_id = a.id AND m.removed_at IS NULL) p
  ) place
  CROSS JOIN LATERAL (
    SELECT count(*) > 0 AS same_team, coalesce(bool_or(mine.role = 'lead'), false) AS led
    FROM directory.team_member mine
    JOIN directory.team_member theirs ON theirs.team_id = mine.team_id
    WHERE mine.account_id = $1::uuid AND mine.active AND mine.removed_at IS NULL
      AND theirs.account_id = a.id AND theirs.removed_at IS NULL
  ) peer
  CROSS JOIN LATERAL (
    SELECT a.kind = 'machine' OR a.id = $1::uuid AS own,
           coalesce(c.value, 'ACCEPTED') AS consent,
           ${at('$2')} AS detail,
           ${at('$3')} AS administers,
           ${at('$4')} AS unmasks
  ) relation
  CROSS JOIN LATERAL (
    SELECT
      CASE WHEN own THEN 'full'
           WHEN consent = 'REJECTED' THEN 'hidden'
           WHEN consent = 'MASK_NAME' OR NOT (detail OR same_team) THEN 'partial'
           ELSE 'full' END AS name,
      CASE WHEN own THEN 'full'
           WHEN consent IN ('REJECTED', 'MASK_NAME') OR NOT (detail OR same_team) THEN 'hidden'
           WHEN NOT detail THEN 'partial'
           ELSE 'full' END AS username,
      CASE WHEN own OR consent IN ('ACCEPTED', 'HIDE_AVATAR') AND administers THEN 'full' ELSE 'hidden' END AS email,
      CASE WHEN own OR consent <> 'REJECTED' AND detail THEN 'full' ELSE 'hidden' END AS employee_no,
      CASE WHEN own OR consent = 'ACCEPTED' AND (detail OR led) THEN 'full' ELSE 'hidden' END AS avatar
  ) level`;

export interface SeenRow extends SeenPerson {
  /** The viewer holds the right to see this person unmasked. */
  readonly unmasks: boolean;
}

export const seenColumns = `
  a.id, a.kind, a.status, a.username, a.display_name AS "displayName", a.given_name AS "givenName",
  a.family_name AS "familyName", a.email, a.employee_no AS "employeeNo", a.avatar_url AS "avatarUrl", relation.unmasks,
  jsonb_build_object('name', level.name, 'username', level.username, 'email', level.email,
                     'employeeNo', level.employee_no, 'avatar', level.avatar) AS levels`;

/** Whether a value may decide where a person stands in the viewer's list and whether a search finds them. */
export const open = (field: 'name' | 'username' | 'email' | 'employee_no') =>
  `(relation.unmasks OR level.${field} = 'full')`;

export const seenPeople = statement<SeenRow>(
  'directory.seen_people',
  `SELECT ${seenColumns} ${seenFrom} WHERE a.id = ANY ($5::uuid[])`,
);

/** $1 account ids, $2 the fields each was shown unmasked, as JSON, $3 actor, $4 request id, $5 reason. */
export const recordUnmaskedReads = statement(
  'directory.record_unmasked_reads',
  `INSERT INTO platform.audit_log (schema_name, table_name, record, operation, new, actor, request_id, reason)
   SELECT 'directory', 'account', jsonb_build_object('id', shown.id), 'READ', jsonb_build_object('unmasked', shown.fields),
          $3, $4, $5
   FROM unnest($1::uuid[], $2::jsonb[]) AS shown (id, fields)`,
);

/** Where the account belongs; no row when there is no such account. */
export const placesOf = statement<{ everywhere: boolean; sites: string[]; status: 'active' | 'suspended' | 'left' }>(
  'directory.places_of',
  `SELECT a.status, coalesce(bool_or(p.everywhere), false) AS everywhere,
          coalesce(array_agg(p.site_id) FILTER (WHERE p.site_id IS NOT NULL), '{}') AS sites
   FROM directory.account a
   LEFT JOIN LATERAL (
     SELECT r.site_id, r.site_id IS NULL AS everywhere FROM directory.account_role r WHERE r.account_id = a.id
     UNION
     SELECT t.site_id, false FROM directory.team_member m JOIN directory.team t ON t.id = m.team_id
     WHERE m.account_id = a.id AND m.removed_at IS NULL) p ON true
   WHERE a.id = $1 GROUP BY a.id`,
);
