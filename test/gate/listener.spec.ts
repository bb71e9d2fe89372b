import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Listener } from '@belay/platform';
import { createDatabases, type TestDatabases } from '../support/databases.js';
import { eventually } from '../support/eventually.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { SettableControl } from './settable-control.js';

describe('a listener', () => {
  let databases: TestDatabases;
  let sender: SettableControl;
  let line: { proxy: TcpProxy; url: string };
  beforeAll(async () => {
    databases = await createDatabases();
    sender = new SettableControl(databases.databaseUrl);
    line = await TcpProxy.before(databases.databaseUrl);
  });
  afterAll(async () => {
    await line.proxy.close();
    await sender.close();
    await databases.drop();
  });

  /** Listens on channels and keeps what it is told. */
  async function listening(...channels: string[]) {
    const told: string[] = [];
    const listener = new Listener(line.url);
    for (const channel of channels) {
      await listener.listen(
        channel,
        (payload) => told.push(`${channel}: ${payload}`),
        () => told.push(`${channel} again`),
      );
    }
    return { listener, told };
  }
  const send = (channel: string, payload: string) => sender.rows(`SELECT pg_notify($1, $2)`, [channel, payload]);
  const hears = (told: string[], expected: string[], withinMs?: number) =>
    eventually(() => {
      expect(told).toEqual(expected);
    }, withinMs);

  it('hears of its channels and of no other, whatever they are called', async () => {
    const { listener, told } = await listening('plain', 'With "quotes"');
    expect(listener.connected).toBe(true);
    for (const channel of ['plain', 'other', 'With "quotes"']) await send(channel, 'x');
    await hears(told, ['plain: x', 'With "quotes": x']);
    await listener.close();
  });

  it('listens again by itself after a break, and says that it may have missed something', async () => {
    const { listener, told } = await listening('one', 'two');
    line.proxy.refuse();
    await eventually(() => {
      expect(listener.connected).toBe(false);
    });
    expect(listener.lostSince).toBeInstanceOf(Date);
    await send('one', 'while nobody hears');
    line.proxy.pass();
    await hears(told, ['one again', 'two again'], 5_000);
    expect(listener.lostSince).toBeUndefined();
    await send('two', 'y');
    await hears(told, ['one again', 'two again', 'two: y']);
    await listener.close();
  });

  it('notices a line that carries nothing any more', async () => {
    const { listener, told } = await listening('one');
    line.proxy.strand();
    await hears(told, ['one again'], 8_000);
    await send('one', 'z');
    await hears(told, ['one again', 'one: z']);
    await listener.close();
  });

  it('begins without a database and listens once there is one', async () => {
    line.proxy.refuse();
    const { listener, told } = await listening('one');
    expect(listener.connected).toBe(false);
    line.proxy.pass();
    await hears(told, ['one again'], 5_000);
    await listener.close();
  });

  it('hears nothing any more once it is closed, and leaves no connection', async () => {
    const { listener, told } = await listening('one');
    await listener.close();
    expect(listener.connected).toBe(false);
    await send('one', 'x');
    await eventually(async () => {
      expect(await sender.rows(`SELECT FROM pg_stat_activity WHERE application_name = 'belay-listener'`)).toEqual([]);
    });
    expect(told).toEqual([]);
  });
});
