import { applyDecorators, Header, HttpCode } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { RouteSchema } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes, ApiOperation, ApiProduces, ApiResponse } from '@nestjs/swagger';
import type { ZodType } from 'zod';

/** Status and slug of a problem that a route may answer, e.g. `409 code-taken`. */
export type ProblemName = `${number} ${string}`;

export interface EndpointOptions {
  /** 200 when the route answers something, else 204. */
  readonly status?: number;
  /** Every answer is checked against it and holds nothing else; a mismatch is our defect and a 500. */
  readonly returns?: ZodType;
  readonly description?: string;
  /** Problems of this route beyond those that every route has. */
  readonly problems?: readonly ProblemName[];
  /** Whether a POST takes an Idempotency-Key: `optional` unless said. */
  readonly idempotency?: 'optional' | 'required' | 'none';
  /** Days for which an Idempotency-Key and its answer are kept: one unless said. For use cases in `Database.transaction`. */
  readonly keptDays?: number;
  /** Media type of an answer that is no JSON, e.g. `text/csv`; the handler returns a StreamableFile. */
  readonly download?: string;
  /** Media type of a body that is a file, which the handler takes by `@Upload()`; such a POST takes no Idempotency-Key. */
  readonly upload?: string;
  /** The route answers with server-sent events, made by `EventStreams`. */
  readonly events?: true;
}

export interface EndpointFacts extends EndpointOptions {
  readonly summary: string;
  readonly status: number;
  readonly idempotency: 'optional' | 'required' | 'none';
}

export const RouteEndpoint = Reflector.createDecorator<EndpointFacts>();

/** One route: what it is for, what it answers and how it fails; documented and enforced from the same words. */
export function Endpoint(summary: string, options: EndpointOptions = {}): MethodDecorator {
  const mediaType = options.events ? 'text/event-stream' : options.download;
  const status = options.status ?? (options.returns !== undefined || mediaType !== undefined ? 200 : 204);
  const idempotency = options.upload === undefined ? (options.idempotency ?? 'optional') : 'none';
  const facts: EndpointFacts = { ...options, summary, status, idempotency };

  const decorators = [
    RouteEndpoint(facts),
    HttpCode(status),
    ApiOperation({ summary, ...(options.description !== undefined && { description: options.description }) }),
  ];
  if (options.upload !== undefined) {
    decorators.push(
      ApiConsumes(options.upload),
      ApiBody({ required: true, schema: { type: 'string', format: 'binary' } }),
    );
  }
  if (options.returns) {
    decorators.push(
      ApiResponse({ status, standardSchema: options.returns, description: summary }),
      // Whatever the handler makes of the status: 200 for what it did not have to create is checked as well.
      RouteSchema({ response: { [status]: options.returns, '2xx': options.returns } }),
    );
  } else if (mediaType !== undefined) {
    decorators.push(
      // Proxies must pass events on as they come.
      ...(options.events ? [Header('Cache-Control', 'no-cache, no-transform'), Header('X-Accel-Buffering', 'no')] : []),
      ApiProduces(mediaType),
      ApiResponse({ status, schema: { type: 'string', format: 'binary' }, description: summary }),
    );
  } else {
    decorators.push(ApiResponse({ status, description: summary }));
  }
  return applyDecorators(...decorators);
}
