import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InvalidRequest, PermissionMissing, violates, type Caller, type Grant } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import type { RoleAt } from '../directory.permissions.js';
import { AccountPermission } from './account-permission.entity.js';
import { AccountRole } from './account-role.entity.js';
import { governs, type Places } from './account.rules.js';
import { AdminService } from './admin.service.js';

const GRANT = 'directory.role:grant';

interface Held {
  readonly roles: readonly RoleAt[];
  readonly permissions: readonly Grant[];
}

/** What an account holds, replaced as a whole; rows that stay are left alone, so the audit log shows what changed. */
@Injectable()
export class RoleService {
  constructor(private readonly admins: AdminService) {}

  async replace(tx: EntityManager, by: Caller, accountId: string, wanted: Held): Promise<void> {
    const roles = await tx.findBy(AccountRole, { accountId });
    const named = await tx.findBy(AccountPermission, { accountId });
    const lostRoles = roles.filter((row) => !wanted.roles.some((role) => roleKey(role) === roleKey(row)));
    const newRoles = distinct(wanted.roles, roleKey).filter(
      (role) => !roles.some((row) => roleKey(row) === roleKey(role)),
    );
    const lostNamed = named.filter((row) => !wanted.permissions.some((grant) => grantKey(grant) === grantKey(row)));
    const newNamed = distinct(wanted.permissions, grantKey).filter(
      (grant) => !named.some((row) => grantKey(row) === grantKey(grant)),
    );
    const changed = [...lostRoles, ...newRoles, ...lostNamed, ...newNamed];
    if (changed.length > 0 && !governs(by, GRANT, placesOfRoles(changed))) throw new PermissionMissing(GRANT);

    const resigns = lostRoles.some(({ role, siteId }) => role === 'admin' && siteId === null);
    if (resigns) await this.admins.letGo(tx, accountId);
    await tx.remove([...lostRoles, ...lostNamed]);
    await tx.insert(
      AccountRole,
      newRoles.map((role) => ({ id: randomUUIDv7(), accountId, ...role })),
    );
    await tx.insert(
      AccountPermission,
      newNamed.map((grant) => ({ id: randomUUIDv7(), accountId, ...grant })),
    );
  }
}

export function placesOfRoles(held: readonly { readonly siteId: string | null }[]): Places {
  const sites = held.map(({ siteId }) => siteId);
  return { everywhere: sites.includes(null), sites: sites.filter((site) => site !== null) };
}

/** A site that does not exist is a mistake in the request. */
export function unknownSite(error: unknown): unknown {
  const pointers = { role_is_at_a_site: '#/roles', permission_is_at_a_site: '#/permissions' };
  const broken = Object.entries(pointers).find(([constraint]) => violates(error, constraint));
  return broken ? new InvalidRequest([{ pointer: broken[1], detail: 'names a site that does not exist' }]) : error;
}

const roleKey = ({ role, siteId }: RoleAt) => `${role} ${siteId ?? 'everywhere'}`;
const grantKey = ({ permission, siteId }: Grant) => `${permission} ${siteId ?? 'everywhere'}`;

function distinct<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [key(item), item])).values()];
}
