import pg from 'pg';
import { eventually } from '../support/eventually.js';

/** A replica of the server, as that sees it: it is sent everything, and has applied it when it is told to say so. */
export class Standby {
  #sentTo = 0n;

  private constructor(private readonly client: pg.Client) {
    client.on('error', () => undefined);
    client.connection.on('copyData', ({ chunk }: { readonly chunk: Buffer }) => {
      // Data says where it ends in its second number, a sign of life in its first.
      const end = chunk.readBigUInt64BE(chunk[0] === 'w'.charCodeAt(0) ? 9 : 1);
      if (end > this.#sentTo) this.#sentTo = end;
    });
  }

  static async of(server: string): Promise<Standby> {
    const url = new URL(server);
    url.search = 'replication=true&application_name=standby';
    const client = new pg.Client(url.href);
    const standby = new Standby(client);
    await client.connect();
    const { rows } = await client.query<{ xlogpos: string }>('IDENTIFY_SYSTEM');
    // Ends with the connection.
    client.query(`START_REPLICATION PHYSICAL ${rows[0]?.xlogpos ?? ''}`).catch(() => undefined);
    await eventually(() => {
      if (standby.#sentTo === 0n) throw new Error('the server has sent nothing');
    });
    return standby;
  }

  apply(): void {
    const status = Buffer.alloc(34);
    status.write('r');
    for (const offset of [1, 9, 17]) status.writeBigUInt64BE(this.#sentTo, offset);
    const header = Buffer.from('d\0\0\0\0');
    header.writeInt32BE(4 + status.length, 1);
    this.client.connection.stream.write(Buffer.concat([header, status]));
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
