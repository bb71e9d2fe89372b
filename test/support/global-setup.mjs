import './ts-loader.mjs';

/** One server for the whole run; each suite clones databases of its own from its templates. */
export default async function setup() {
  const { startTestServer } = await import('./server.ts');
  const server = await startTestServer();
  process.env['BELAY_TEST_SERVER'] = server.adminUrl;
  globalThis.stopTestServer = () => server.stop();
}
