import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { findFreePort } from '../../apps/cli/src/local/port.js';

/** Whether this machine can run a Redis server; tests that need one are skipped by name where it cannot. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** A Redis server that keeps nothing on disk, on a port of its own. */
export async function startRedis(): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await findFreePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', [...options, '--maxmemory-policy', 'noeviction'], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  const url = `redis://127.0.0.1:${port}`;
  for (let tries = 0; tries < 200; tries += 1) {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    const ready = await client.connect().then(
      () => true,
      () => false,
    );
    client.disconnect();
    if (ready) {
      return {
        url,
        stop: async () => {
          server.kill('SIGTERM');
          await ended;
        },
      };
    }
    await sleep(25);
  }
  server.kill('SIGKILL');
  throw new Error('Redis did not start');
}
