import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import { API_PREFIX } from './controllers.js';

/** What a browser must not do with an answer that is data: read it as a page, frame it, keep it or hand it on. */
const ofData = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-site',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
};

/**
 * Pages get all of Helmet's headers. Answers of the API get the few that mean something for data, in one call: the whole
 * set is for pages, and on a small answer it costs as much as checking the answer does.
 */
export async function setSecurityHeaders(instance: FastifyInstance): Promise<void> {
  await instance.register(helmet, {
    global: false,
    // Nothing upgrades: TLS ends before us, and a local start has none.
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
  });
  instance.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith(`/${API_PREFIX}/`)) reply.headers(ofData);
    else await reply.helmet();
  });
}
