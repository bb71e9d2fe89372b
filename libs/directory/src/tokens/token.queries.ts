import { statement } from '@belay/platform';
import type { ApiToken } from './api-token.entity.js';

type TokenRow = Omit<ApiToken, 'hash'>;

/** Newest first, by the id, which is made of the time. $1 account, $2 id to go on after, $3 rows. */
export const tokenList = statement<TokenRow>(
  'directory.token_list',
  `SELECT id, account_id AS "accountId", name, prefix, scopes, site_id AS "siteId", expires_at AS "expiresAt",
          last_used_at AS "lastUsedAt", revoked_at AS "revokedAt", created_at AS "createdAt"
   FROM directory.api_token
   WHERE account_id = $1 AND ($2::uuid IS NULL OR id < $2)
   ORDER BY id DESC LIMIT $3`,
);
