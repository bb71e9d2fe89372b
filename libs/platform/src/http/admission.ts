import { Inject, Injectable } from '@nestjs/common';
import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TokenRefused } from '../auth/auth.problems.js';
import type { Session } from '../auth/session.js';
import { Sessions } from '../auth/sessions.js';
import type { Config } from '../config/config.js';
import { CONFIG } from '../runtime.js';
import { TooManyRequests } from './http.problems.js';
import { RateWindow } from './rate-window.js';
import { Routes } from './routes.js';

/**
 * What happens to a request before its body is read: who asks, and whether they ask too often. Callers whose token is
 * known count against their account or API token. Everybody else, guessed tokens and sign-ins included, counts against
 * their address before anything is verified for them; reading public routes is free.
 */
@Injectable()
export class Admission {
  readonly #perCaller: RateWindow;
  readonly #perAddress: RateWindow;

  constructor(
    private readonly routes: Routes,
    private readonly sessions: Sessions,
    @Inject(CONFIG) { RATE_LIMIT_PER_MINUTE, ANONYMOUS_RATE_LIMIT_PER_MINUTE }: Config,
  ) {
    this.#perCaller = new RateWindow(RATE_LIMIT_PER_MINUTE);
    this.#perAddress = new RateWindow(ANONYMOUS_RATE_LIMIT_PER_MINUTE);
  }

  install(instance: FastifyInstance): void {
    instance.decorateRequest('session', null);
    instance.decorateRequest('caller', null);
    instance.decorateRequest('route', null);
    // Without a promise for callers who are known: there are many more of them than of all others.
    instance.addHook('onRequest', (request, reply, done) => {
      reply.header('x-request-id', request.id);
      const token = bearerOf(request);
      const known = token === undefined ? undefined : this.sessions.known(token);
      if (known) done(this.admit(known, request, reply));
      else this.meet(token, request, reply).then(done, done);
    });
  }

  private admit(session: Session, request: FastifyRequest, reply: FastifyReply): TooManyRequests | undefined {
    request.session = session;
    return tooMany(this.#perCaller, session.tokenId ?? session.accountId, reply);
  }

  private async meet(
    token: string | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<TooManyRequests | undefined> {
    const isPublic = this.routes.at(request.method, request.routeOptions.url)?.access.kind === 'public';
    if (isPublic && (request.method === 'GET' || request.method === 'HEAD')) return undefined;
    const isGuess = token === undefined || isPublic || !this.sessions.wasKnown(token);
    const refused = isGuess ? tooMany(this.#perAddress, senderOf(request.ip), reply) : undefined;
    if (refused || token === undefined || isPublic) return refused;
    const session = await this.verified(token);
    return session && this.admit(session, request, reply);
  }

  /** A bad token is no failure yet: the guard decides what the route asks for. */
  private async verified(token: string): Promise<Session | undefined> {
    try {
      return await this.sessions.open(token);
    } catch (error) {
      if (error instanceof TokenRefused) return undefined;
      throw error;
    }
  }
}

/** On a Unix socket there is no address: then all who are unknown are one. */
function senderOf(address: string | undefined): string {
  return address === undefined ? 'unknown' : normalizeIP(address);
}

function tooMany(window: RateWindow, key: string, reply: FastifyReply): TooManyRequests | undefined {
  const { limit, remaining, reset, exceeded } = window.count(key);
  // While there is plenty nobody needs to be told.
  if (remaining < limit / 2) reply.header('ratelimit', `limit=${limit}, remaining=${remaining}, reset=${reset}`);
  return exceeded ? new TooManyRequests(reset, limit) : undefined;
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  const { authorization } = headers;
  return authorization?.slice(0, 7).toLowerCase() === 'bearer ' ? authorization.slice(7).trim() : undefined;
}
