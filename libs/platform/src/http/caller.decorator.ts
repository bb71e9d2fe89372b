import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../auth/caller.js';
import { callerOf } from './request.js';

/** Who asks: the first argument of every use case that changes something. */
export const By = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => {
  const [request] = context.getArgs<[FastifyRequest]>();
  return callerOf(request);
});
