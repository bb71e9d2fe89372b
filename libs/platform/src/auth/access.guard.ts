import { createHash } from 'node:crypto';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import canonicalize from 'canonicalize';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IdempotencyKeyRequired, MalformedHeader } from '../http/http.problems.js';
import { Routes, type Route } from '../http/routes.js';
import type { Access } from './access.decorators.js';
import { PermissionMissing, SignInRequired, TokenRefused } from './auth.problems.js';
import { Caller, type IdempotencyClaim } from './caller.js';
import type { Session } from './session.js';

/** Lets a request in when its caller may use the route, and says to the use case who they are. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(private readonly routes: Routes) {}

  canActivate(context: ExecutionContext): boolean {
    const [request, reply] = context.getArgs<[FastifyRequest, FastifyReply]>();
    const route = this.routes.of(context.getHandler());
    request.route = route;
    if (route.access.kind === 'public') return true;
    const { session } = request;
    if (!session) throw request.headers.authorization === undefined ? new SignInRequired() : new TokenRefused();
    if (route.access.kind === 'permission') demand(session, route.access);
    const facts = { ...session, requestId: request.id, ip: request.ip };
    request.caller = new Caller(facts, claimOf(request, reply, route), reasonOf(request));
    return true;
  }
}

function demand({ grants }: Session, { permission, others }: Extract<Access, { kind: 'permission' }>): void {
  if (grants.some((grant) => grant.permission === permission || others.includes(grant.permission))) return;
  throw new PermissionMissing(permission);
}

const keyRule = /^[\x21-\x7e]{1,255}$/;

function claimOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { method, path, endpoint, domain }: Route,
): IdempotencyClaim | undefined {
  if (method !== 'POST' || endpoint.idempotency === 'none') return undefined;
  const key = request.headers['idempotency-key'];
  if (key === undefined) {
    if (endpoint.idempotency === 'required') throw new IdempotencyKeyRequired();
    return undefined;
  }
  if (typeof key !== 'string' || !keyRule.test(key)) {
    throw new MalformedHeader('Idempotency-Key', '1 to 255 visible ASCII characters');
  }
  const hash = createHash('sha256')
    .update(`${method} ${request.url}\n`)
    .update(canonicalize(request.body ?? null) ?? '');
  return {
    key,
    route: `${method} ${path}`,
    domain: domain?.name ?? 'platform',
    requestHash: hash.digest('hex'),
    ...(endpoint.keptDays !== undefined && { keptDays: endpoint.keptDays }),
    replayed: () => {
      void reply.header('idempotency-replayed', 'true');
    },
  };
}

function reasonOf({ headers }: FastifyRequest): string | undefined {
  const header = headers['x-reason'];
  if (header === undefined) return undefined;
  // Header bytes arrive as Latin-1; clients send UTF-8.
  const reason = Buffer.from(String(header), 'latin1').toString();
  if (reason.length > 500) throw new MalformedHeader('X-Reason', 'at most 500 characters');
  return reason;
}
