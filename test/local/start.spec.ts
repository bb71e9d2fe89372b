import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { EmbeddedPostgres } from '../../apps/cli/src/local/embedded-postgres.js';
import { readServerFile } from '../../apps/cli/src/local/server-file.js';
import { eventually } from '../support/eventually.js';
import { BelayCommand, isAlive } from './belay-command.js';

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('npm start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belay-start-'));
  const state = join(folder, '.belay');
  const commands: BelayCommand[] = [];
  afterEach(async () => {
    for (const command of commands.splice(0)) {
      command.signal('SIGINT');
      await command.code();
    }
  });
  afterAll(async () => {
    await EmbeddedPostgres.stopUnused(join(state, 'postgres'));
    rmSync(folder, { recursive: true, force: true });
  });

  it('says that the port is taken before it starts anything', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const address = squatter.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const command = start({ PORT: String(port) });
    expect(await command.code()).toBe(1);
    squatter.close();
    expect(command.output).toBe(`\n✗ Port ${port} is taken: choose another, e.g. PORT=${port + 1} npm start.\n`);
    expect(existsSync(join(state, 'postgres'))).toBe(false);
  });

  it('names every bad setting and starts nothing', async () => {
    const command = start({ PORT: 'abc', LOG_LEVEL: 'loud' });
    expect(await command.code()).toBe(1);
    expect(command.output).toMatch(/PORT[\s\S]*LOG_LEVEL|LOG_LEVEL[\s\S]*PORT/);
    expect(existsSync(join(state, 'postgres'))).toBe(false);
  });

  it('wants both databases or none', async () => {
    const command = start({ DATABASE_URL: 'postgres://127.0.0.1/belay' });
    expect(await command.code()).toBe(1);
    expect(command.output).toContain('DATABASE_URL and CONTROL_DATABASE_URL go together');
  });

  it('runs everything from nothing, once per folder, and ends in order when it is told to', async () => {
    const command = start();
    const url = await command.printed(/API +(http:\/\/127\.0\.0\.1:\d+)\/api/);
    expect(await fetch(`${url}/health/ready`)).toMatchObject({ status: 200 });
    expect(await fetch(`${url}/docs-json`)).toMatchObject({ status: 200 });
    await command.printed(/Ctrl-C stops everything/);
    const password = /the password is (\S+)/.exec(command.output)?.[1];
    const session = { username: 'admin', password };
    const headers = { 'content-type': 'application/json' };
    const signIn = await fetch(`${url}/api/auth/sign-in`, { method: 'POST', headers, body: JSON.stringify(session) });
    expect(signIn).toMatchObject({ ok: true });
    expect(statSync(join(state, 'secret')).mode & 0o777).toBe(0o600);

    const second = start();
    expect(await second.code()).toBe(1);
    expect(second.output).toContain('Belay already runs in this folder');

    const { api, worker } = command.children();
    const server = serverId();
    const order: string[] = [];
    const watched = new Map([
      [api, 'api'],
      [worker, 'worker'],
      [server, 'postgres'],
    ]);
    const began = Date.now();
    command.signal('SIGINT');
    await eventually(() => {
      for (const [pid, name] of watched) {
        if (isAlive(pid)) continue;
        order.push(name);
        watched.delete(pid);
      }
      expect(watched.size).toBe(0);
    }, 10_000);
    expect(order).toEqual(['api', 'worker', 'postgres']);
    expect(await command.code()).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
  }, 90_000);

  it('is looked after by the other commands, also while it does not run', async () => {
    const status = new BelayCommand(folder, ['migrate', 'status']);
    expect(await status.code()).toBe(0);
    expect(status.output).toMatch(/\d+ applied, 0 parked, 0 pending\./);
    expect(isAlive(serverId())).toBe(false);
  });

  it('stops everything and says so when a part of it ends by itself', async () => {
    const command = start();
    await command.printed(/Belay is ready/);
    const { api, worker } = command.children();
    const server = serverId();
    process.kill(api, 'SIGKILL');
    expect(await command.code()).toBe(1);
    expect(command.output).toContain('✗ The api ended unexpectedly (signal SIGKILL).');
    expect([worker, server].filter(isAlive)).toEqual([]);
  }, 60_000);

  it('takes its processes along when it is killed, and starts again after that', async () => {
    const killed = start();
    await killed.printed(/Belay is ready/);
    const { api, worker } = killed.children();
    killed.signal('SIGKILL');
    await eventually(() => {
      expect([api, worker].filter(isAlive)).toEqual([]);
    }, 10_000);

    const command = start();
    await command.printed(/Belay is ready/);
  }, 60_000);

  it('ends within ten seconds also when a process does not listen any more', async () => {
    const command = start();
    await command.printed(/Belay is ready/);
    const { worker } = command.children();
    process.kill(worker, 'SIGSTOP');
    const began = Date.now();
    command.signal('SIGTERM');
    expect(await command.code()).toBe(0);
    expect(Date.now() - began).toBeLessThan(10_000);
    expect([worker, serverId()].filter(isAlive)).toEqual([]);
  }, 60_000);

  function start(env: Record<string, string> = {}): BelayCommand {
    const command = new BelayCommand(folder, ['start'], env);
    commands.push(command);
    return command;
  }

  function serverId(): number {
    return readServerFile(join(state, 'postgres', 'data'))?.pid ?? 0;
  }
});
