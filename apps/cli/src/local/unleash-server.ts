import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.js';

export interface UnleashServerOptions {
  readonly databaseUrl: string;
  readonly port: number;
  /** Of the user `admin`, on the first start. */
  readonly adminPassword: string;
  /** Made by the first start and kept by the server from then on. */
  readonly adminToken: string;
  readonly clientToken: string;
}

const program = resolve('node_modules', 'unleash-server', 'dist', 'server.js');

// It knows nothing of us: this much is run before it, so that it does not outlive a parent that was killed.
const endWithParent = `data:text/javascript,process.once('disconnect',()=>process.kill(process.pid))`;

const startMs = 60_000;
const stopMs = 5_000;

/**
 * A real Unleash server (7.5.1, the newest under Apache-2.0), as a process of its own on a database of its own. Belay
 * talks to it over HTTP like to any other; nothing of it is part of Belay.
 */
export class UnleashServer {
  readonly url: string;

  private constructor(
    private readonly child: Child,
    port: number,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(options: UnleashServerOptions): Promise<UnleashServer> {
    if (!existsSync(program)) throw new Error('Unleash is a development dependency: run `npm ci` without --omit=dev.');
    const args = ['--import', endWithParent, program];
    const child = new Child('Unleash', { args, env: environment(options), quiet: true });
    const unleash = new UnleashServer(child, options.port);
    await unleash.waitUntilReady();
    return unleash;
  }

  /** Settles when the server has ended, for whatever reason; says how. */
  get ended(): Promise<string> {
    return this.child.ended;
  }

  stop(): Promise<void> {
    return this.child.stop(Date.now() + stopMs);
  }

  private async waitUntilReady(): Promise<void> {
    const deadline = Date.now() + startMs;
    while (Date.now() < deadline && this.child.running) {
      const healthy = await fetch(`${this.url}/health`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (healthy) return;
      await sleep(50);
    }
    this.child.kill();
    throw new Error(`Unleash did not start. Its last words:\n${this.child.lastWords}`);
  }
}

/** Nothing of our own environment but what a process needs: Unleash would take our DATABASE_URL for its own. */
function environment(options: UnleashServerOptions): Record<string, string> {
  const { hostname, port, username, password, pathname } = new URL(options.databaseUrl);
  return {
    TZ: 'UTC',
    NODE_ENV: 'production',
    DATABASE_HOST: hostname,
    DATABASE_PORT: port,
    DATABASE_USERNAME: decodeURIComponent(username),
    DATABASE_PASSWORD: decodeURIComponent(password),
    DATABASE_NAME: pathname.slice(1),
    DATABASE_SSL: 'false',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(options.port),
    UNLEASH_URL: `http://127.0.0.1:${options.port}`,
    UNLEASH_SECRET: options.adminToken,
    UNLEASH_DEFAULT_ADMIN_USERNAME: 'admin',
    UNLEASH_DEFAULT_ADMIN_PASSWORD: options.adminPassword,
    INIT_ADMIN_API_TOKENS: options.adminToken,
    INIT_BACKEND_API_TOKENS: options.clientToken,
    CHECK_VERSION: 'false',
    SEND_TELEMETRY: 'false',
    LOG_LEVEL: 'error',
  };
}
