import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventStreams } from '@belay/platform';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

interface Shown {
  readonly handle: Handle;
  /** Requests the application was given and has not ended. */
  underWay: number;
}

/** A request of an application that was replaced may take this long, e.g. an export; new ones are answered meanwhile. */
const patienceMs = 60_000;
const patienceAtCloseMs = 4_000;

/**
 * The one HTTP server of the process. Applications come and go behind it: each request is answered by the application
 * that was shown when it came, and connections outlive applications.
 */
export class Entrance {
  readonly #server: Server;
  readonly #apps = new Map<NestFastifyApplication, Shown>();
  #shown: Shown | undefined;
  /** When everything must have ended; infinitely far while the process lives. */
  #endsAt = Infinity;

  constructor() {
    // Longer than the idle time of common proxies, so that it is never us who ends a connection as a request comes.
    this.#server = createServer({ keepAliveTimeout: 72_000, requestTimeout: 300_000 }, (request, response) => {
      this.enter(request, response);
    });
  }

  /** Throws when the address cannot be had. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    const at = typeof address === 'object' && address ? address.port : port;
    return `http://${host.includes(':') ? `[${host}]` : host}:${at}`;
  }

  show(app: NestFastifyApplication): void {
    const instance = app.getHttpAdapter().getInstance();
    const handle: Handle = (request, response) => {
      instance.routing(request, response);
    };
    this.#shown = { handle, underWay: 0 };
    this.#apps.set(app, this.#shown);
  }

  /** Ends the event streams, whose clients come back, and waits for the other requests for as long as they may take. */
  async drain(app: NestFastifyApplication): Promise<void> {
    const shown = this.#apps.get(app);
    this.#apps.delete(app);
    if (!shown) return;
    app.get(EventStreams).end();
    const deadline = Date.now() + patienceMs;
    while (shown.underWay > 0 && Date.now() < Math.min(deadline, this.#endsAt)) await sleep(20);
  }

  /** Takes no more connections; those that are open end with the answer they wait for. */
  stopListening(): void {
    this.#endsAt = Date.now() + patienceAtCloseMs;
    this.#server.close();
  }

  close(): void {
    this.#server.closeAllConnections();
  }

  private enter(request: IncomingMessage, response: ServerResponse): void {
    const shown = this.#shown;
    if (!shown) {
      response.writeHead(503, { 'retry-after': '1' }).end();
      return;
    }
    if (this.#endsAt !== Infinity) response.setHeader('connection', 'close');
    shown.underWay += 1;
    response.once('close', () => {
      shown.underWay -= 1;
    });
    shown.handle(request, response);
  }
}
