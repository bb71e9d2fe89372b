import { statement } from '@belay/platform';
import type { AccountStatus } from '../accounts/account.entity.js';

const FAILURES = 5;
export const LOCK_MINUTES = 15;

export interface Attempt {
  readonly claimed: boolean;
  readonly accountId: string | null;
  readonly status: AccountStatus | null;
  readonly hash: string | null;
}

/**
 * Counts an attempt as a failure before the password is looked at, so that many at once are no more than five; a
 * success takes the count back. The work is the same for a name that nobody has.
 * $1 keyed hash of the username, $2 the username.
 */
export const claimAttempt = statement<Attempt>(
  'directory.claim_attempt',
  `WITH attempt AS (
     INSERT INTO directory.sign_in_failure AS f (username_hash, failed_sign_ins, last_failed_at)
     VALUES ($1, 1, clock_timestamp())
     ON CONFLICT (username_hash) DO UPDATE SET
       failed_sign_ins = CASE WHEN f.locked_until IS NULL THEN f.failed_sign_ins + 1 ELSE 1 END,
       locked_until = CASE WHEN f.locked_until IS NULL AND f.failed_sign_ins + 1 >= ${FAILURES}
                           THEN clock_timestamp() + interval '${LOCK_MINUTES} minutes' END,
       last_failed_at = clock_timestamp()
     WHERE f.locked_until IS NULL OR f.locked_until <= clock_timestamp()
     RETURNING true)
   SELECT EXISTS (SELECT FROM attempt) AS claimed, a.id AS "accountId", a.status, p.hash
   FROM (SELECT 1) AS one
   LEFT JOIN directory.account a ON a.username = $2 AND a.kind = 'person'
   LEFT JOIN directory.password p ON p.account_id = a.id`,
);

export const lockEnds = statement<{ seconds: number }>(
  'directory.lock_ends',
  `SELECT greatest(1, ceil(extract(epoch FROM locked_until - clock_timestamp())))::integer AS seconds
   FROM directory.sign_in_failure WHERE username_hash = $1 AND locked_until IS NOT NULL`,
);

export const forgetFailures = statement(
  'directory.forget_failures',
  `DELETE FROM directory.sign_in_failure WHERE username_hash = $1`,
);

/** Locks the account, so that a sign-in and the end of the account cannot pass each other. */
export const noteSignIn = statement<{ mustChangePassword: boolean }>(
  'directory.note_sign_in',
  `UPDATE directory.account SET last_sign_in_at = clock_timestamp() WHERE id = $1 AND status = 'active'
   RETURNING must_change_password AS "mustChangePassword"`,
);

export interface TokenHolder {
  readonly accountId: string;
  readonly family: string;
  readonly status: AccountStatus;
  readonly mustChangePassword: boolean;
}

/** Locks the account behind a refresh token: whatever ends its sign-ins waits, and the other way round. */
export const lockHolder = statement<TokenHolder>(
  'directory.lock_holder',
  `SELECT a.id AS "accountId", a.status, a.must_change_password AS "mustChangePassword", t.family
   FROM directory.refresh_token t JOIN directory.account a ON a.id = t.account_id
   WHERE t.hash = $1 FOR NO KEY UPDATE OF a`,
);

export const useToken = statement<{ authenticatedAt: Date; client: string | null }>(
  'directory.use_refresh_token',
  `UPDATE directory.refresh_token SET used_at = clock_timestamp()
   WHERE hash = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > clock_timestamp()
   RETURNING authenticated_at AS "authenticatedAt", client`,
);

export const wasUsed = statement<{ used: boolean }>(
  'directory.refresh_token_was_used',
  `SELECT used_at IS NOT NULL AS used FROM directory.refresh_token WHERE hash = $1`,
);

export const revokeFamily = statement(
  'directory.revoke_family',
  `UPDATE directory.refresh_token SET revoked_at = clock_timestamp() WHERE family = $1 AND revoked_at IS NULL`,
);

export const addRefreshToken = statement<{ expiresAt: Date }>(
  'directory.add_refresh_token',
  `INSERT INTO directory.refresh_token (id, account_id, family, hash, authenticated_at, expires_at, client)
   VALUES ($1, $2, $3, $4, $5, clock_timestamp() + interval '14 days', $6)
   RETURNING expires_at AS "expiresAt"`,
);

export const forgetOldFailures = statement(
  'directory.forget_old_failures',
  `DELETE FROM directory.sign_in_failure WHERE last_failed_at < clock_timestamp() - interval '1 day'`,
);

export const forgetOldTokens = statement(
  'directory.forget_old_refresh_tokens',
  `DELETE FROM directory.refresh_token WHERE expires_at < clock_timestamp() - interval '30 days'`,
);
