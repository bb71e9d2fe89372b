import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import { API_PREFIX } from './controllers.js';

/** What a browser must not do with an answer that is data: read it as a page, frame it or keep it. */
const ofData = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
};

// Nothing upgrades: TLS ends before us, and a local start has none.
const ofPage = helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } });

/**
 * Pages get all of Helmet's headers. Answers of the API get the few that mean something for data, in one call: the whole
 * set is for pages, and on a small answer it costs as much as checking the answer does.
 */
export function setSecurityHeaders(instance: FastifyInstance): void {
  instance.addHook('onRequest', (request, reply, done) => {
    if (!request.url.startsWith(`/${API_PREFIX}/`)) {
      ofPage(request.raw, reply.raw, () => {
        done();
      });
      return;
    }
    reply.headers(ofData);
    done();
  });
}
