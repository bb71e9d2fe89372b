import { STATUS_CODES } from 'node:http';
import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { PermissionMissing } from '../auth/auth.problems.js';
import { databaseProblem } from '../database/database.problems.js';
import { ModuleOff } from '../domain/gate.problems.js';
import { Routes } from '../http/routes.js';
import { within } from '../jobs/patience.js';
import { CONFIG, LOG } from '../runtime.js';
import { Problem, type ProblemKind } from './problem.js';

const statuses: Readonly<Record<ProblemKind, number>> = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'not-allowed': 405,
  conflict: 409,
  'precondition-failed': 412,
  invalid: 422,
  'precondition-required': 428,
  'too-many-requests': 429,
  unavailable: 503,
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

const WRITTEN_WITHIN_MS = 2_000;

/** Turns whatever was thrown into one RFC 9457 problem. What is no problem of the caller is logged and told in no detail. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly routes: Routes,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Logger,
    private readonly trail: AuditTrail,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const answer = this.answer(error, request);
    if (answer.status >= 500) this.note(error, answer, request);
    if (reply.sent || reply.raw.headersSent) {
      // Half of another answer is out: the only honest end is a broken connection.
      reply.raw.destroy();
      return;
    }
    if (isDenial(error, request))
      void this.tellOfDenial(error, request).then(() => {
        send(reply, request.id, answer);
      });
    else send(reply, request.id, answer);
  }

  /** Written down before it is answered; whoever is denied is denied also while nothing can be written. */
  private async tellOfDenial({ detail }: PermissionMissing, { session, route, ip, id }: FastifyRequest): Promise<void> {
    const { accountId = '', roles = [], tokenId = null } = session ?? {};
    const entry = {
      actor: { id: accountId, role: roles.join(' ') || null, session: tokenId, ip },
      action: 'request.denied',
      subject: `${route?.method ?? ''} ${route?.path ?? ''}`,
      environment: this.config.NODE_ENV,
      reason: detail,
      outcome: 'denied: permission-missing',
    };
    const written = this.trail.append(entry).catch((error: unknown) => {
      this.log.error({ err: error, requestId: id }, 'denial not audited');
    });
    await within(written, WRITTEN_WITHIN_MS);
  }

  private answer(error: unknown, request: FastifyRequest): Answer {
    const problem = error instanceof Problem ? error : databaseProblem(error);
    if (problem) return ofProblem(problem);
    if (!(error instanceof HttpException)) return internalError;
    if (request.is404) return this.nothingThere(request);
    const status = error.getStatus();
    if (status === 413) return bodyTooLarge(this.config.BODY_LIMIT_BYTES);
    return status === 500 ? internalError : ofStatus(status, error.message);
  }

  private nothingThere({ method, url }: FastifyRequest): Answer {
    const path = url.split('?')[0] ?? url;
    const methods = this.routes.methodsAt(path);
    const away = this.routes.awayAt(path, methods.length === 0 ? undefined : method);
    if (away) return ofProblem(new ModuleOff(away.name));
    if (methods.length === 0) return { ...ofStatus(404, `Nothing is at ${path}.`), code: 'not-found' };
    return { ...ofStatus(405, `${path} takes ${methods.join(', ')}.`), headers: { allow: methods.join(', ') } };
  }

  private note(error: unknown, { status, code }: Answer, { id, method, url }: FastifyRequest): void {
    const facts = { err: error, requestId: id, method, path: url.split('?')[0], status, code };
    if (status === 500) this.log.error(facts, 'request failed');
    else this.log.warn(facts, 'request not served');
  }
}

/** Refused at the door of a route that keeps count of it; what a use case refuses, it writes down itself. */
function isDenial(error: unknown, { caller, route }: FastifyRequest): error is PermissionMissing {
  return error instanceof PermissionMissing && caller === null && route?.domain?.auditsDenials === true;
}

/** For requests that no route, hook or filter sees: an address that the router cannot read. */
export function refuseAddress(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  send(reply, request.id, ofStatus(error.statusCode ?? 400, error.message));
}

function send(reply: FastifyReply, requestId: string, { headers = {}, members, ...answer }: Answer): void {
  const { status, type, code, title, detail } = answer;
  const all = { ...headers, 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  void reply
    .code(status)
    .headers(all)
    .send(JSON.stringify({ ...members, type, title, status, detail, code, requestId }));
}

function ofProblem(problem: Problem): Answer {
  const headers: Record<string, string> = {};
  if (problem.retryAfter !== undefined) headers['retry-after'] = String(problem.retryAfter);
  if (problem.kind === 'unauthenticated') headers['www-authenticate'] = 'Bearer';
  if (problem.kind === 'not-allowed') headers['allow'] = 'GET, HEAD';
  const { slug: code, title, detail, members } = problem;
  return { status: statuses[problem.kind], type: `/problems/${code}`, code, title, detail, members, headers };
}

/** A failure of the protocol, for which the status says it all. */
function ofStatus(status: number, detail: string): Answer {
  const title = STATUS_CODES[status] ?? 'Error';
  return { status, type: 'about:blank', code: title.toLowerCase().replaceAll(/[^a-z]+/g, '-'), title, detail };
}

function bodyTooLarge(limit: number): Answer {
  const detail = `A body has at most ${limit} bytes.`;
  return { ...ofStatus(413, detail), code: 'body-too-large', members: { limit } };
}

const internalError: Answer = {
  ...ofStatus(500, 'The failure was logged under the id of this request.'),
  code: 'internal-error',
};
