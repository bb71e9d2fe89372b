import { statement } from '@belay/platform';
import type { AccountKind, AccountStatus } from '../accounts/account.entity.js';
import type { ConsentSource, ConsentValue } from './consent.entity.js';

export const saveConsent = statement<{ value: ConsentValue; source: ConsentSource; at: Date }>(
  'directory.save_consent',
  `INSERT INTO directory.consent (account_id, value, source, at) VALUES ($1, $2, $3, clock_timestamp())
   ON CONFLICT (account_id) DO UPDATE SET value = excluded.value, source = excluded.source, at = excluded.at
   RETURNING value, source, at`,
);

/** What was agreed elsewhere at $3; nothing when the account is unknown here or something newer is. */
export const copyConsent = statement<{ kind: AccountKind; status: AccountStatus }>(
  'directory.copy_consent',
  `WITH copied AS (
     INSERT INTO directory.consent AS c (account_id, value, source, at)
     SELECT id, $2, 'people', $3 FROM directory.account WHERE id = $1
     ON CONFLICT (account_id) DO UPDATE SET value = excluded.value, source = excluded.source, at = excluded.at
     WHERE c.at < excluded.at
     RETURNING account_id)
   SELECT a.kind, a.status FROM directory.account a JOIN copied ON copied.account_id = a.id`,
);
