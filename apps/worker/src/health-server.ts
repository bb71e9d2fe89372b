import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Runtime } from '@belay/platform';

/** `/health/live`, `/health/ready` and `/metrics` of a worker, for probes and Prometheus; nothing else, nothing to sign in to. */
export class HealthServer {
  readonly #server: Server;

  constructor(
    private readonly runtime: Runtime,
    /** Whether the worker does what it is for. */
    private readonly ready: () => Promise<boolean>,
  ) {
    this.#server = createServer((request, response) => {
      void this.answer(request.url ?? '', response);
    });
  }

  /** Throws when the address cannot be had. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve);
    });
    const address = this.#server.address();
    return `http://${host}:${typeof address === 'object' && address ? address.port : port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  private async answer(path: string, response: ServerResponse): Promise<void> {
    switch (path) {
      case '/health/live':
        say(response, 200, 'up');
        return;
      case '/health/ready': {
        const ready = await this.ready().catch(() => false);
        say(response, ready ? 200 : 503, ready ? 'ready' : 'not-ready');
        return;
      }
      case '/metrics': {
        const { metrics } = this.runtime;
        response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.metrics());
        return;
      }
      default:
        response.writeHead(404).end();
    }
  }
}

function say(response: ServerResponse, statusCode: number, status: string): void {
  response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify({ status }));
}
