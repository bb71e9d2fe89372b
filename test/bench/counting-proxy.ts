import { connect, createServer, type Server, type Socket } from 'node:net';

/** The statement that wakes the relays: not in the transaction, and one for many. */
const RING = 'platform.outbox_ring';
const READY_FOR_QUERY = 'Z'.charCodeAt(0);

/**
 * Stands between a client and PostgreSQL, passes everything on and counts round trips: the server says ReadyForQuery at the
 * end of each.
 */
export class CountingProxy {
  roundTrips = 0;
  /** Of these, the ones that only wake the relays. */
  rings = 0;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async before(databaseUrl: string): Promise<CountingProxy> {
    const target = new URL(databaseUrl);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = new URL(databaseUrl);
    url.hostname = '127.0.0.1';
    url.port = String(typeof address === 'object' ? address?.port : '');
    const proxy = new CountingProxy(server, url.href);
    server.on('connection', (client) => {
      proxy.pass(client, connect(Number(target.port), target.hostname));
    });
    return proxy;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(client: Socket, database: Socket): void {
    for (const socket of [client, database]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true).on('error', () => undefined);
    }
    client.pipe(database);
    client.on('data', (bytes: Buffer) => {
      if (bytes.includes(RING)) this.rings += 1;
    });
    database.pipe(client);
    client.on('close', () => database.destroy());
    database.on('close', () => client.destroy());
    let rest: Buffer = Buffer.alloc(0);
    database.on('data', (bytes: Buffer) => {
      rest = this.count(Buffer.concat([rest, bytes]));
    });
  }

  /** Every message is a letter, its length, and as many bytes; answers what is not whole yet. */
  private count(bytes: Buffer): Buffer {
    let at = 0;
    while (bytes.length - at >= 5) {
      const length = 1 + bytes.readInt32BE(at + 1);
      if (bytes.length - at < length) break;
      if (bytes[at] === READY_FOR_QUERY) this.roundTrips += 1;
      at += length;
    }
    return bytes.subarray(at);
  }
}
