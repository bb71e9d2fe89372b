import type { GateContext } from '../flags/flags.js';
import type { Caller } from './caller.js';

const ranks = ['admin', 'manager', 'supervisor'];

/** The caller as gradual rollouts see them. Add what the use case knows: `{ ...gateContext(by), siteId, graphId }`. */
export function gateContext(caller: Caller): GateContext {
  const siteId = caller.onlySite;
  return {
    userId: caller.accountId,
    role: ranks.find((rank) => caller.roles.includes(rank)) ?? 'other',
    ...(siteId !== undefined && { siteId }),
  };
}
