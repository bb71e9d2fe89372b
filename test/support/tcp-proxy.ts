import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, so that a test can break the line: nothing arrives any more, or nobody answers. */
export class TcpProxy {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #state: 'passing' | 'hanging' | 'refusing' = 'passing';

  private constructor(target: URL) {
    this.#server = createServer((client) => {
      this.#sockets.add(client);
      client.on('error', () => undefined).on('close', () => this.#sockets.delete(client));
      if (this.#state === 'refusing') {
        client.destroy();
        return;
      }
      const server = connect(Number(target.port), target.hostname);
      this.#sockets.add(server);
      server.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.on('close', () => server.destroy());
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        from.on('data', (bytes) => {
          if (this.#state === 'passing') to.write(bytes);
        });
      }
    });
  }

  /** In front of the database of the URL. */
  static async before(databaseUrl: string): Promise<{ proxy: TcpProxy; url: string }> {
    const url = new URL(databaseUrl);
    const proxy = new TcpProxy(new URL(databaseUrl));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    const address = proxy.#server.address();
    url.hostname = '127.0.0.1';
    url.port = String(typeof address === 'object' ? address?.port : '');
    return { proxy, url: url.href };
  }

  /** Connections stay open and carry nothing; what was sent meanwhile is lost, so they never work again. */
  hang(): void {
    this.#state = 'hanging';
  }

  /** The connections there are carry nothing any more, and nobody is told; new ones work. */
  strand(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('data').resume();
  }

  /** Ends every connection and every new one. */
  refuse(): void {
    this.#state = 'refusing';
    for (const socket of this.#sockets) socket.destroy();
  }

  pass(): void {
    if (this.#state === 'hanging') this.refuse();
    this.#state = 'passing';
  }

  async close(): Promise<void> {
    this.refuse();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
