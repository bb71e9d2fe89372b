import { statement } from '@belay/platform';
import type { ConsentSource, ConsentValue } from './consent.entity.js';

export const saveConsent = statement<{ value: ConsentValue; source: ConsentSource; at: Date }>(
  'directory.save_consent',
  `INSERT INTO directory.consent (account_id, value, source, at) VALUES ($1, $2, $3, clock_timestamp())
   ON CONFLICT (account_id) DO UPDATE SET value = excluded.value, source = excluded.source, at = excluded.at
   RETURNING value, source, at`,
);
