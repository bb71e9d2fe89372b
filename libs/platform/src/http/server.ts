import { randomUUIDv7 } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Config } from '../config/config.js';
import type { Metrics } from '../metrics/metrics.js';
import { refuseAddress } from '../problem/problem.filter.js';
import { LOG, METRICS } from '../runtime.js';
import { Admission } from './admission.js';
import { API_PREFIX, UNPREFIXED } from './controllers.js';
import { acceptJson } from './json-body.js';
import { setSecurityHeaders } from './security-headers.js';
import { watchRequests } from './request-log.js';
import { Routes } from './routes.js';
import { acceptUploads } from './uploads.js';

const requestIdRule = /^[A-Za-z0-9._-]{8,128}$/;

export function fastifyAdapter(config: Config): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: config.BODY_LIMIT_BYTES,
    trustProxy: config.TRUSTED_PROXIES.length > 0 ? config.TRUSTED_PROXIES : false,
    genReqId: ({ headers }: IncomingMessage) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && requestIdRule.test(given) ? given : randomUUIDv7();
    },
    routerOptions: { maxParamLength: 255 },
    skipMiddie: true,
    frameworkErrors: refuseAddress,
  });
}

export function prefixRoutes(app: INestApplication): void {
  app.setGlobalPrefix(API_PREFIX, { exclude: UNPREFIXED.flatMap((path) => [path, `${path}/{*rest}`]) });
}

/** Everything between the socket and the routes; called before the application is initialised. */
export function prepareServer(app: NestFastifyApplication, config: Config): void {
  prefixRoutes(app);
  if (config.CORS_ORIGINS.length > 0) {
    app.enableCors({
      origin: [...config.CORS_ORIGINS],
      exposedHeaders: ['ETag', 'Idempotency-Replayed', 'RateLimit', 'Retry-After', 'X-Request-Id'],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      maxAge: 600,
    });
  }

  const instance = app.getHttpAdapter().getInstance();
  instance.setSerializerCompiler(({ schema, method, url }) => answerSerializer(schema, `${method} ${url}`));
  setSecurityHeaders(instance);
  acceptJson(instance);
  acceptUploads(instance, app.get(Routes));
  watchRequests(instance, app.get(Routes), app.get<Metrics>(METRICS), app.get<Logger>(LOG));
  app.get(Admission).install(instance);
  instance.addHook('preSerialization', (_request, reply, answer, done) => {
    const version = rowVersionOf(answer);
    if (version !== undefined) reply.header('etag', `"${version}"`);
    done(null, answer);
  });
}

/** A route answered something else than it declares: a defect of ours, told to nobody outside. */
class AnswerMismatch extends Error {
  override readonly name = 'AnswerMismatch';
}

function answerSerializer(schema: unknown, route: string): (answer: unknown) => string {
  if (!(schema instanceof z.ZodType)) throw new Error(`The answer of ${route} has no zod schema`);
  return (answer) => {
    const checked = schema.safeParse(answer);
    if (checked.success) return JSON.stringify(checked.data);
    throw new AnswerMismatch(`${route} does not answer as declared:\n${z.prettifyError(checked.error)}`);
  };
}

function rowVersionOf(answer: unknown): number | undefined {
  if (typeof answer !== 'object' || answer === null || !('rowVersion' in answer)) return undefined;
  return typeof answer.rowVersion === 'number' ? answer.rowVersion : undefined;
}
