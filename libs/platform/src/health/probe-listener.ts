import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { admitToMetrics } from '../metrics/metrics-access.js';
import { Problem } from '../problem/problem.js';
import { healthOfDomains } from '../domain/domain-health.js';
import type { Runtime } from '../runtime.js';
import type { Health } from './health.js';

/** Health and metrics for a process that serves nothing else, at the paths of the API. */
export function probeListener(runtime: Runtime, health: Health): RequestListener {
  const { config, log, metrics } = runtime;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    switch (request.method === 'GET' ? request.url?.split('?')[0] : undefined) {
      case '/health/live':
        json(response, 200, health.live());
        return;
      case '/health/ready': {
        const found = await health.ready();
        json(response, found.ready ? 200 : 503, found);
        return;
      }
      case '/health/domains':
        json(response, 200, healthOfDomains(runtime));
        return;
      case '/metrics':
        admitToMetrics(config, request);
        response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.metrics());
        return;
      default:
        json(response, 404, { code: 'not-found' });
    }
  };
  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (error instanceof Problem) {
        json(response, error.kind === 'unauthenticated' ? 401 : 403, { code: error.slug, detail: error.detail });
        return;
      }
      log.error({ err: error }, 'probe not answered');
      json(response, 500, { code: 'internal-error' });
    });
  };
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
