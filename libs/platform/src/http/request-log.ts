import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { inLogContext } from '../log/log-context.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Routes } from './routes.js';

const slowMs = 1_000;

/**
 * Measures every request and logs the slow ones; failed ones are logged where they become a problem, the others only at
 * `debug`, because a line a request costs a third of the throughput. What is logged while a request is worked on carries
 * its id.
 */
export function watchRequests(instance: FastifyInstance, routes: Routes, metrics: Metrics, log: Logger): void {
  // Only here, because the events of a body that comes in belong to the connection, not to the request.
  instance.addHook('preHandler', (request, _reply, done) => {
    inLogContext({ requestId: request.id }, done);
  });
  instance.addHook('onResponse', (request, reply, done) => {
    const { method, id } = request;
    const { statusCode: status, elapsedTime: ms } = reply;
    const path = request.route?.path ?? request.routeOptions.url;
    const route = request.route ?? routes.at(method, path);
    const domain = route?.domain?.name ?? 'platform';
    const slow = ms > slowMs && route?.endpoint.events !== true;
    if (route?.endpoint.events !== true) {
      const labels = { method, route: path ?? 'none', status: `${Math.floor(status / 100)}xx`, domain };
      metrics.http.observe(labels, ms / 1_000);
      metrics.requests.note(domain, status, ms);
    }
    if (slow || log.isLevelEnabled('debug')) {
      const facts = { requestId: id, method, path: request.url.split('?')[0], route: path, status, domain };
      log[slow ? 'warn' : 'debug']({ ...facts, ms: Math.round(ms) }, slow ? 'slow request' : 'request');
    }
    done();
  });
}
