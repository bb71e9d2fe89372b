import type { FastifyRequest } from 'fastify';
import { Caller, SYSTEM_ACCOUNT } from '../auth/caller.js';
import type { Session } from '../auth/session.js';
import type { Route } from './routes.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whom the bearer token stands for; null without an accepted token. */
    session: Session | null;
    /** The route that was chosen, once somebody has asked for it. */
    route: Route | null;
    /** Who asks, with the Idempotency-Key claim; set once the route has let the request in. */
    caller: Caller | null;
  }
}

/** The caller that the access guard has let in; on a public route without a token nobody in particular. */
export function callerOf(request: FastifyRequest): Caller {
  return request.caller ?? anonymous(request);
}

function anonymous(request: FastifyRequest): Caller {
  return new Caller({
    accountId: SYSTEM_ACCOUNT,
    username: 'anonymous',
    kind: 'system',
    roles: [],
    grants: [],
    requestId: request.id,
    ip: request.ip,
  });
}
