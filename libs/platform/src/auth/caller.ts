/** A permission at one site, or everywhere when `siteId` is null. */
export interface Grant {
  readonly permission: string;
  readonly siteId: string | null;
}

/** The key a client chose to make a request safe to repeat, and the fingerprint of what it asked for. */
export interface IdempotencyClaim {
  readonly key: string;
  readonly route: string;
  readonly domain: string;
  readonly requestHash: string;
  /** For how long the answer can be asked for again; a day unless said. */
  readonly keptDays?: number;
  /** Called when the answer is the stored one of an earlier request. */
  readonly replayed: () => void;
}

export interface CallerFacts {
  readonly accountId: string;
  readonly username: string;
  readonly kind: 'person' | 'machine' | 'system';
  readonly roles: readonly string[];
  readonly grants: readonly Grant[];
  readonly requestId: string;
  readonly ip?: string;
  /** When the person proved who they are (seconds since 1970), for acts that need a fresh sign-in. */
  readonly authTime?: number;
  readonly tokenId?: string;
}

/** Who asks, what they may, and under which request: the first argument of every use case that changes something. */
export class Caller {
  readonly accountId: string;
  readonly username: string;
  readonly kind: CallerFacts['kind'];
  readonly roles: readonly string[];
  readonly requestId: string;
  readonly ip: string | undefined;
  readonly authTime: number | undefined;
  readonly tokenId: string | undefined;
  readonly #grants: readonly Grant[];

  constructor(
    facts: CallerFacts,
    /** Present when the client sent an Idempotency-Key. */
    readonly idempotency?: IdempotencyClaim,
    /** Why it is done, when the client said so (X-Reason); kept in the audit log. */
    readonly reason?: string,
  ) {
    this.accountId = facts.accountId;
    this.username = facts.username;
    this.kind = facts.kind;
    this.roles = facts.roles;
    this.requestId = facts.requestId;
    this.ip = facts.ip;
    this.authTime = facts.authTime;
    this.tokenId = facts.tokenId;
    this.#grants = facts.grants;
  }

  /** Belay itself: jobs, cron, the outbox. Holds no permission; services that check none may be called with it. */
  static system(requestId: string, name = 'system'): Caller {
    return new Caller({ accountId: SYSTEM_ACCOUNT, username: name, kind: 'system', roles: [], grants: [], requestId });
  }

  /** Whether the caller holds the permission at the site, or anywhere at all when no site is named. */
  may(permission: string, siteId?: string): boolean {
    return this.#grants.some(
      (grant) =>
        grant.permission === permission && (siteId === undefined || grant.siteId === null || grant.siteId === siteId),
    );
  }

  /** The one site at which the caller may do anything; undefined when there are several, or some are held everywhere. */
  get onlySite(): string | undefined {
    const [site] = this.#grants;
    if (site?.siteId == null) return undefined;
    return this.#grants.every(({ siteId }) => siteId === site.siteId) ? site.siteId : undefined;
  }

  /** The sites at which the caller holds the permission; `all` when it is granted everywhere. */
  sitesFor(permission: string): 'all' | readonly string[] {
    const sites = new Set<string>();
    for (const grant of this.#grants) {
      if (grant.permission !== permission) continue;
      if (grant.siteId === null) return 'all';
      sites.add(grant.siteId);
    }
    return [...sites];
  }
}

/** The account id under which Belay itself acts; no row of the accounts has it. */
export const SYSTEM_ACCOUNT = '00000000-0000-7000-8000-000000000000';
