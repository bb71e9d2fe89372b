import { randomBytes } from 'node:crypto';
import { findFreePort } from '../../apps/cli/src/local/port.js';
import { UnleashAdmin } from '../../apps/cli/src/local/unleash-admin.js';
import { UnleashServer } from '../../apps/cli/src/local/unleash-server.js';
import { createEmptyDatabase } from './databases.js';

export interface TestUnleash {
  /** For UNLEASH_URL. */
  readonly apiUrl: string;
  /** For UNLEASH_TOKEN. */
  readonly token: string;
  readonly admin: UnleashAdmin;
  /** Without `/api`, for those who administrate it. */
  readonly url: string;
  readonly adminToken: string;
  /** Ends the process, as an outage would. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port and database. */
  revive(): Promise<void>;
  stop(): Promise<void>;
}

/** A real Unleash server with a database and a port of its own. */
export async function startUnleash(): Promise<TestUnleash> {
  const database = await createEmptyDatabase();
  const secret = randomBytes(16).toString('hex');
  const options = {
    databaseUrl: database.url,
    port: await findFreePort(),
    adminPassword: secret,
    adminToken: `*:*.${secret}`,
    clientToken: `default:development.${secret}`,
  };
  let server = await UnleashServer.start(options);
  return {
    apiUrl: `${server.url}/api`,
    token: options.clientToken,
    url: server.url,
    adminToken: options.adminToken,
    admin: new UnleashAdmin(server.url, options.adminToken),
    kill: () => server.stop(),
    revive: async () => {
      server = await UnleashServer.start(options);
    },
    stop: async () => {
      await server.stop();
      await database.drop();
    },
  };
}
