import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { EmbeddedPostgres } from '../../apps/cli/src/local/embedded-postgres.js';
import { FileLock } from '../../apps/cli/src/local/file-lock.js';
import { PostgresBinaries } from '../../apps/cli/src/local/postgres-binaries.js';
import { readServerFile, serverFile } from '../../apps/cli/src/local/server-file.js';

const isRoot = process.getuid?.() === 0;

describe('the embedded PostgreSQL', () => {
  // Only its owner may enter, as below `mktemp -d`.
  const home = mkdtempSync(join(tmpdir(), 'belay-postgres-'));
  const folder = join(home, 'checkout', '.belay', 'postgres');
  const data = join(folder, 'data');
  const running: EmbeddedPostgres[] = [];
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    chmodSync(home, 0o700);
    const server = await start();
    await server.ensureDatabase('kept');
    await query(server.url('kept'), `CREATE TABLE note AS SELECT 'still here' AS text`);
    await server.stop();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const server of running.splice(0)) await server.stop();
  });
  afterAll(async () => {
    await EmbeddedPostgres.stopUnused(folder);
    rmSync(home, { recursive: true, force: true });
  });

  (isRoot ? it : it.skip)('uses programs that lie where only root may enter', async () => {
    const installed = fileURLToPath(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`));
    const copy = join(home, 'package');
    cpSync(join(dirname(installed), '..'), copy, { recursive: true });
    const binaries = await PostgresBinaries.find(data, join(copy, 'dist', 'index.js'));

    expect(await binaries.run('pg_ctl', ['status', '-D', data], folder)).toMatchObject({
      output: expect.stringContaining('no server running'),
    });
    const made = await binaries.run('initdb', ['-D', join(folder, 'other'), '-A', 'trust', '--no-sync'], folder);
    expect(made).toMatchObject({ status: 0 });
  });

  (canMount() ? it : it.skip)('says that the disk is full', async () => {
    const full = join(home, 'full');
    mkdirSync(full);
    mount('-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', full);
    const start = EmbeddedPostgres.start({ folder: join(full, 'postgres'), durable: true });
    try {
      await expect(start).rejects.toThrow('PostgreSQL did not start: the disk is full.');
    } finally {
      spawnSync('umount', [full]);
    }
  });

  it('is started again on the same data and the same port', async () => {
    const first = await start();
    const { port } = first;
    await first.stop();
    expect(first.running).toBe(false);

    const second = await start();
    expect(second.port).toBe(port);
    expect(await second.ensureDatabase('kept')).toBe(false);
    expect(await notes(second)).toEqual(['still here']);
  });

  it('listens on the loopback interface only, and asks for the password', async () => {
    const server = await start();
    expect(await query(server.url('postgres'), 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    const stranger = new URL(server.url('postgres'));
    stranger.password = 'guess';
    await expect(query(stranger.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  it('comes back after it was killed', async () => {
    const server = await start();
    process.kill(pidOfServer(), 'SIGKILL');
    while (server.running) await new Promise((resolve) => setTimeout(resolve, 10));

    expect(await notes(await start())).toEqual(['still here']);
  });

  it('replaces a server whose starter was killed', async () => {
    const starter = await startElsewhere();
    const orphan = pidOfServer();
    starter.kill('SIGKILL');
    await once(starter, 'exit');

    const server = await start();
    expect(pidOfServer()).not.toBe(orphan);
    expect(await notes(server)).toEqual(['still here']);
  });

  it('is not fooled by a lock file that names a process of somebody else', async () => {
    writeFileSync(serverFile(data), [process.pid, data, 1, 5432, '', '127.0.0.1', '1 2', 'ready'].join('\n'));
    expect(await notes(await start())).toEqual(['still here']);
  });

  it('starts when an earlier start was interrupted while it made the data', async () => {
    const fresh = join(home, 'interrupted');
    mkdirSync(join(fresh, 'data.new'), { recursive: true });
    writeFileSync(join(fresh, 'data.new', 'PG_VERSION'), '18');
    const server = await EmbeddedPostgres.start({ folder: fresh, durable: false });
    await server.stop();
    rmSync(fresh, { recursive: true });
  });

  it('takes another port when its own is taken', async () => {
    const first = await start();
    const { port } = first;
    await first.stop();
    const squatter = createServer().listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    try {
      const second = await start();
      expect(second.port).not.toBe(port);
      expect(await notes(second)).toEqual(['still here']);
    } finally {
      squatter.close();
    }
  });

  it('is one server however many start it at once, and stops with the last', async () => {
    const [one, two, three] = await Promise.all([start(), start(), startElsewhere()]);
    expect(one.port).toBe(two.port);
    const pid = pidOfServer();

    await one.stop();
    await two.stop();
    expect(pidOfServer()).toBe(pid);
    expect(await notes(two)).toEqual(['still here']);

    three.kill('SIGKILL');
    await once(three, 'exit');
    expect(await EmbeddedPostgres.stopUnused(folder)).toBe(true);
    expect(readServerFile(data)).toBeUndefined();
  });

  it('keeps its password to itself', () => {
    const modes = spawnSync('stat', ['-c', '%a', folder, join(folder, 'password')], { encoding: 'utf8' });
    expect(modes.stdout).toBe('700\n600\n');
    expect(readFileSync(join(folder, 'password'), 'utf8')).toMatch(/^[\w-]{24}$/);
  });

  (isRoot ? it : it.skip)('runs as another user when we are root, without a change to the folders above', async () => {
    await start();
    const owner = spawnSync('stat', ['-c', '%U', `/proc/${pidOfServer()}`], { encoding: 'utf8' }).stdout.trim();
    expect(owner).not.toBe('root');
    const above = spawnSync('stat', ['-c', '%U %a', home, join(home, 'checkout')], { encoding: 'utf8' });
    expect(above.stdout).toMatch(/^root 700\nroot 7\d\d\n$/);
  });

  async function start(): Promise<EmbeddedPostgres> {
    const server = await EmbeddedPostgres.start({ folder, durable: false });
    running.push(server);
    return server;
  }

  async function startElsewhere(): Promise<ChildProcess> {
    const program = ['--import', './test/support/ts-loader.mjs', 'test/local/processes/hold-postgres.ts', folder];
    const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await once(child.stdout, 'data');
    return child;
  }

  function pidOfServer(): number {
    return readServerFile(data)?.pid ?? 0;
  }
});

describe('a lock between processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belay-lock-'));
  const path = join(folder, 'lock');
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('is held by one, or shared by many', () => {
    const alone = FileLock.exclusive(path);
    expect(alone).toBeDefined();
    expect(FileLock.exclusive(path)).toBeUndefined();
    expect(FileLock.shared(path)).toBeUndefined();
    alone?.release();

    const users = [FileLock.shared(path), FileLock.shared(path)];
    expect(users).not.toContain(undefined);
    expect(FileLock.exclusive(path)).toBeUndefined();
    for (const user of users) user?.release();
    const again = FileLock.exclusive(path);
    expect(again).toBeDefined();
    again?.release();
  });

  it('says what it waited for when it gives up', async () => {
    const alone = FileLock.exclusive(path);
    await expect(FileLock.wait(() => FileLock.exclusive(path), 50, 'counting sheep')).rejects.toThrow(
      'Another process has been counting sheep for 0.05 s.',
    );
    alone?.release();
  });
});

function mount(...args: string[]): boolean {
  return spawnSync('mount', args, { stdio: 'ignore' }).status === 0;
}

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'belay-mount-'));
  const can = process.platform === 'linux' && mount('-t', 'tmpfs', 'tmpfs', folder);
  if (can) spawnSync('umount', [folder]);
  rmdirSync(folder);
  return can;
}

async function notes(server: EmbeddedPostgres): Promise<unknown[]> {
  return (await query(server.url('kept'), 'SELECT text FROM note')).map(({ text }) => text);
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
