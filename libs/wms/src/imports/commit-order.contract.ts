import { Caller, type IdempotencyClaim } from '@belay/platform';
import type { BatchRow, CommitOrder } from './import.queries.js';

/** Whatever a commit may ask for. */
const permissions = [
  'wms.import:run',
  'wms.master:read',
  'wms.master:write',
  'wms.inventory:read',
  'wms.inventory:receive',
  'wms.inventory:ship',
  'wms.inventory:adjust',
  'wms.inventory:transfer',
  'wms.inventory:reverse',
  'wms.inventory:backdate',
  'wms.count:approve',
  'wms.period:override',
  'wms.rate:read',
  'wms.rate:write',
  'wms.invoice:read',
  'wms.invoice:write',
];

/** What is kept of a caller, so that a job can do the commit in their name and with no more than they might do. */
export function orderOf(by: Caller, { fileName }: BatchRow, skipErrors: boolean): CommitOrder {
  const { accountId, username, kind, roles, requestId } = by;
  const grants = permissions.flatMap((permission) => {
    const sites = by.sitesFor(permission);
    return (sites === 'all' ? [null] : sites).map((siteId) => ({ permission, siteId }));
  });
  return {
    skipErrors,
    accountId,
    username,
    kind,
    roles,
    requestId,
    grants,
    reason: by.reason ?? `Import of ${fileName}`,
  };
}

export function callerOf(order: CommitOrder, claim?: IdempotencyClaim): Caller {
  return new Caller(order, claim, order.reason);
}
