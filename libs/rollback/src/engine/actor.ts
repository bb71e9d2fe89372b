import { Caller, SYSTEM_ACCOUNT } from '@belay/platform';

/** In whose name something is planned, approved or done, however they came. */
export interface Actor {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** `host`: whoever may run programs on the machine of the databases, which the command line takes at its word. */
  readonly kind: 'person' | 'machine' | 'system' | 'host';
  readonly session: string | null;
  readonly ip: string | null;
  /** When the person proved who they are, in seconds since 1970. */
  readonly authTime: number | null;
  readonly may: (permission: string) => boolean;
}

/** Whoever sent the request. */
export function actorOf(caller: Caller): Actor {
  const { accountId, username, roles, kind, tokenId, ip, authTime } = caller;
  return {
    id: accountId,
    name: username,
    roles,
    // Nobody has signed in with an API token, whoever it belongs to.
    kind: tokenId === undefined ? kind : 'machine',
    session: tokenId ?? null,
    ip: ip ?? null,
    authTime: authTime ?? null,
    may: (permission) => caller.may(permission),
  };
}

/** The command line without a sign-in: it has the databases' passwords, so that nothing can be refused to it. */
export function hostActor(user: string): Actor {
  return {
    id: `host:${user}`,
    name: user,
    roles: ['host'],
    kind: 'host',
    session: null,
    ip: null,
    authTime: null,
    may: () => true,
  };
}

/** Belay itself: the executor, timers. */
export const system: Actor = {
  id: SYSTEM_ACCOUNT,
  name: 'belay',
  roles: [],
  kind: 'system',
  session: null,
  ip: null,
  authTime: null,
  may: () => false,
};

/** As the audit trail names an actor. */
export function auditActor({ id, roles, session, ip }: Actor) {
  return { id, role: roles.join(' ') || null, session, ip };
}
