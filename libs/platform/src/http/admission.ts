import { Inject, Injectable } from '@nestjs/common';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TokenRefused } from '../auth/auth.problems.js';
import type { Session } from '../auth/session.js';
import { Sessions } from '../auth/sessions.js';
import type { Config } from '../config/config.js';
import { CONFIG } from '../runtime.js';
import { TooManyRequests } from './http.problems.js';
import { Routes } from './routes.js';

type Limiter = ReturnType<FastifyInstance['createRateLimit']>;

/**
 * What happens to a request before its body is read: who asks, and whether they ask too often. Callers whose token is
 * known count against their account or API token. Everybody else, guessed tokens and sign-ins included, counts against
 * their address before anything is verified for them; reading public routes is free.
 */
@Injectable()
export class Admission {
  constructor(
    private readonly routes: Routes,
    private readonly sessions: Sessions,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async install(instance: FastifyInstance): Promise<void> {
    await instance.register(rateLimit, { global: false, timeWindow: 60_000 });
    const perCaller = instance.createRateLimit({
      max: this.config.RATE_LIMIT_PER_MINUTE,
      keyGenerator: ({ session }) => session?.tokenId ?? session?.accountId ?? '',
    });
    const perAddress = instance.createRateLimit({ max: this.config.ANONYMOUS_RATE_LIMIT_PER_MINUTE });
    instance.decorateRequest('session', null);
    instance.decorateRequest('caller', null);
    instance.addHook('onRequest', async (request, reply) => {
      reply.header('x-request-id', request.id);
      request.session = await this.admit(request, reply, perAddress);
      if (request.session) await count(perCaller, request, reply);
    });
  }

  private async admit(request: FastifyRequest, reply: FastifyReply, perAddress: Limiter): Promise<Session | null> {
    const token = bearerOf(request);
    const known = token === undefined ? undefined : this.sessions.known(token);
    if (known) return known;

    const isPublic = this.routes.at(request.method, request.routeOptions.url)?.access.kind === 'public';
    if (isPublic && (request.method === 'GET' || request.method === 'HEAD')) return null;
    await count(perAddress, request, reply);
    return token === undefined || isPublic ? null : this.verified(token);
  }

  /** A bad token is no failure yet: the guard decides what the route asks for. */
  private async verified(token: string): Promise<Session | null> {
    try {
      return await this.sessions.open(token);
    } catch (error) {
      if (error instanceof TokenRefused) return null;
      throw error;
    }
  }
}

async function count(limiter: Limiter, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const limit = await limiter(request);
  if (limit.isAllowed) return;
  reply.header('ratelimit-limit', limit.max);
  reply.header('ratelimit-remaining', limit.remaining);
  reply.header('ratelimit-reset', limit.ttlInSeconds);
  if (limit.isExceeded) throw new TooManyRequests(limit.ttlInSeconds, limit.max);
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +([^\s]+)$/i.exec(headers.authorization ?? '')?.[1];
}
