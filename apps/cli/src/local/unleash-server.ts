import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface UnleashServerOptions {
  readonly databaseUrl: string;
  readonly port: number;
  readonly adminPassword: string;
  /** Kept by the server from its first start on. */
  readonly adminToken: string;
  readonly clientToken: string;
  readonly onLog?: (line: string) => void;
}

const program = resolve('node_modules', 'unleash-server', 'dist', 'server.js');

/**
 * A real Unleash server (7.5.1, the newest under Apache-2.0), as a process of its own on a database of its own. Belay
 * talks to it over HTTP like to any other; nothing of it is part of Belay.
 */
export class UnleashServer {
  readonly url: string;

  private constructor(
    private readonly server: ChildProcess,
    readonly options: UnleashServerOptions,
  ) {
    this.url = `http://127.0.0.1:${options.port}`;
  }

  static async start(options: UnleashServerOptions): Promise<UnleashServer> {
    if (!existsSync(program)) throw new Error('Unleash is a development dependency: run `npm ci` without --omit=dev.');
    const database = new URL(options.databaseUrl);
    const env = {
      PATH: process.env['PATH'],
      TZ: 'UTC',
      NODE_ENV: 'production',
      DATABASE_HOST: database.hostname,
      DATABASE_PORT: database.port,
      DATABASE_USERNAME: decodeURIComponent(database.username),
      DATABASE_PASSWORD: decodeURIComponent(database.password),
      DATABASE_NAME: database.pathname.slice(1),
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
    const server = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const unleash = new UnleashServer(server, options);
    await unleash.waitUntilReady();
    return unleash;
  }

  /** Settles when the server has ended, for whatever reason. */
  get ended(): Promise<void> {
    return new Promise((resolve) => {
      if (this.server.exitCode !== null || this.server.signalCode !== null) resolve();
      else this.server.once('exit', () => resolve());
    });
  }

  async stop(): Promise<void> {
    this.server.kill('SIGTERM');
    const forced = setTimeout(() => this.server.kill('SIGKILL'), 5_000);
    await this.ended;
    clearTimeout(forced);
  }

  private async waitUntilReady(): Promise<void> {
    const said: string[] = [];
    for (const stream of [this.server.stdout, this.server.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said.push(text);
        if (said.length > 20) said.shift();
        this.options.onLog?.(text.trimEnd());
      });
    }
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline && this.server.exitCode === null) {
      const healthy = await fetch(`${this.url}/health`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (healthy) return;
      await sleep(100);
    }
    this.server.kill('SIGKILL');
    throw new Error(`Unleash did not start. Its last words:\n${said.join('').trim()}`);
  }
}
