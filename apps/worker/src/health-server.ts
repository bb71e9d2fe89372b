import { createServer, type Server } from 'node:http';
import { probeListener, type Health, type Runtime } from '@belay/platform';

/** Health and metrics of a worker, for probes and Prometheus; nothing else. */
export class HealthServer {
  readonly #server: Server;

  constructor(
    runtime: Runtime,
    private readonly health: Health,
  ) {
    this.#server = createServer(probeListener(runtime, health));
  }

  /** Throws when the address cannot be had. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve);
    });
    const address = this.#server.address();
    return `http://${host}:${typeof address === 'object' && address ? address.port : port}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await this.health.close();
  }
}
