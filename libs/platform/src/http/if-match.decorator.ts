import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { MalformedHeader, PreconditionRequired } from './http.problems.js';

/** The row version the change is meant for, out of If-Match; absent, the request is refused with 428. */
export const IfMatch = createParamDecorator(
  (_data: unknown, context: ExecutionContext): number => {
    const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
    if (header === undefined) throw new PreconditionRequired();
    // Proxies that compress weaken the tag, so both forms are taken.
    const version = /^(?:W\/)?"(\d{1,9})"$/.exec(header)?.[1];
    if (version === undefined) throw new MalformedHeader('If-Match', 'the ETag of the thing, e.g. "3"');
    return Number(version);
  },
  [
    (target, key) => {
      const method = key === undefined ? undefined : Object.getOwnPropertyDescriptor(target, key);
      if (key === undefined || method === undefined) throw new Error('@IfMatch() stands on a parameter of a route');
      ApiHeader({
        name: 'If-Match',
        required: true,
        description: 'ETag of the version that the change is meant for',
        schema: { type: 'string', pattern: '^"\\d+"$', example: '"3"' },
      })(target, key, method);
    },
  ],
);
