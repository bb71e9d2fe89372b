import { Inject, Injectable } from '@nestjs/common';
import {
  Accounts,
  CONFIG,
  Database,
  type AccountFacts,
  type ApiTokenFacts,
  type Config,
  type OidcIdentity,
} from '@belay/platform';
import { grantsOf, roles } from '../directory.permissions.js';
import {
  heldByApiToken,
  heldByEmail,
  heldById,
  heldByUsername,
  noteTokenUse,
  type HeldRow,
} from './account.queries.js';

const known = new Set<string>(roles);

/** What the platform asks of accounts whenever somebody shows a token. */
@Injectable()
export class AccountLookup extends Accounts {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) { OIDC_ROLE_MAP }: Config,
  ) {
    super();
    const strange = Object.values(OIDC_ROLE_MAP).filter((role) => !known.has(role));
    if (strange.length > 0) throw new Error(`OIDC_ROLE_MAP names roles that do not exist: ${strange.join(', ')}`);
  }

  async byId(id: string, signIn?: string): Promise<AccountFacts | undefined> {
    const [row] = await heldById(this.database.dataSource, [id, signIn ?? null]);
    return row && facts(row);
  }

  async byApiToken(hash: string): Promise<ApiTokenFacts | undefined> {
    const [row] = await heldByApiToken(this.database.dataSource, [hash]);
    if (!row) return undefined;
    const { tokenId, scopes, siteId, expiresAt } = row;
    return { tokenId, account: facts(row), scopes, siteId, expiresAt };
  }

  /** The roles that the provider claims are held everywhere, for as long as its token is good; none is stored. */
  async byOidc({ linkedBy, value, roles: claimed }: OidcIdentity): Promise<AccountFacts | undefined> {
    const find = linkedBy === 'email' ? heldByEmail : heldByUsername;
    const [row] = await find(this.database.dataSource, [value]);
    if (row?.kind !== 'person') return undefined;
    const held = [...row.roles, ...claimed.map((role) => ({ role, siteId: null }))];
    // The provider has checked how the person proves themself: our own password does not matter here.
    return facts({ ...row, roles: held, mustChangePassword: false });
  }

  async tokenUsed(tokenId: string, at: Date): Promise<void> {
    await noteTokenUse(this.database.dataSource, [tokenId, at]);
  }
}

/** Whoever must change their password first may do nothing else. */
function facts({ id, username, kind, status, mustChangePassword, roles: held, permissions }: HeldRow): AccountFacts {
  if (mustChangePassword) return { id, username, kind, status, roles: [], grants: [] };
  return {
    id,
    username,
    kind,
    status,
    roles: [...new Set(held.map(({ role }) => role))],
    grants: grantsOf(held, permissions),
  };
}
