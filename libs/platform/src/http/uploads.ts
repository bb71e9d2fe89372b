import { Readable } from 'node:stream';
import { createParamDecorator, UnsupportedMediaTypeException, type ExecutionContext } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { InvalidRequest } from '../problem/problem.js';
import type { Routes } from './routes.js';

/**
 * The body of a route with `upload`, while it comes in. Nobody has looked at it nor limited it: whoever reads it does, and
 * stops reading when it gets too long.
 */
export const Upload = createParamDecorator((_data: unknown, context: ExecutionContext): Readable => {
  const { body } = context.switchToHttp().getRequest<FastifyRequest>();
  if (body instanceof Readable) return body;
  throw new InvalidRequest([{ pointer: '#', detail: 'must be the content of a file' }]);
});

/** Takes bodies of the media types that routes declare as their `upload`, and on those routes only. */
export function acceptUploads(instance: FastifyInstance, routes: Routes): void {
  for (const type of new Set(routes.all.flatMap(({ endpoint }) => endpoint.upload ?? []))) {
    instance.addContentTypeParser(type, (request: FastifyRequest, payload, done) => {
      const route = routes.at(request.method, request.routeOptions.url);
      if (route?.endpoint.upload === type) done(null, payload);
      else done(new UnsupportedMediaTypeException(`Unsupported Media Type: ${type}`));
    });
  }
}
