import { domains } from '@belay/domains';
import { EMERGENCY_ROLLBACK, registeredFlags } from '@belay/platform';
import type { UnleashAdmin } from './unleash-admin.js';

/** What strategies may look at, beside the user. */
const contextFields = [
  ['role', 'Role of whoever asks'],
  ['siteId', 'Site of whoever asks'],
  ['graphId', 'Routing graph that is asked about'],
] as const;

/**
 * Makes every flag of the release that Unleash does not have yet: off, but for those whose default is on. Flags that are
 * there stay as they are. Says how many were made.
 */
export async function createFlags(admin: UnleashAdmin): Promise<number> {
  const emergency = { flag: EMERGENCY_ROLLBACK, title: 'Every gated module and feature off', defaultOn: false };
  let created = 0;
  for (const { flag, title, defaultOn } of [...registeredFlags(domains), emergency]) {
    if (!(await admin.create(flag, title))) continue;
    created += 1;
    if (defaultOn) await admin.set(flag, true);
  }
  for (const [field, meaning] of contextFields) await admin.addContextField(field, meaning);
  return created;
}
