import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { FileLock } from './file-lock.js';
import { findFreePort, isPortFree } from './port.js';
import { PostgresBinaries } from './postgres-binaries.js';
import { isServerOf, readServerFile, serverFile } from './server-file.js';

export interface EmbeddedPostgresOptions {
  /** Holds `data/`, the password, the port and the server's log; made when missing. */
  readonly folder: string;
  /** False: a crash of the machine may lose everything. For databases that live as long as a test run. */
  readonly durable: boolean;
  readonly maxConnections?: number;
}

const superuser = 'belay';
const startSeconds = 60;
const attempts = 5;

/**
 * A real PostgreSQL server from npm's packages, on a port of the loopback interface, that owns one data directory.
 *
 * Any number of processes may use one folder: the first starts the server, the others join it, the last one to stop
 * stops it. A server whose users were all killed is stopped and started again; what a killed server leaves is cleared.
 */
export class EmbeddedPostgres {
  private constructor(
    private readonly folder: string,
    private readonly password: string,
    readonly port: number,
    private readonly pid: number,
    private readonly use: FileLock,
  ) {}

  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const folder = resolve(options.folder);
    const data = join(folder, 'data');
    const binaries = await PostgresBinaries.find(data);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    give(folder, binaries);
    const turn = await takeTurn(folder);
    try {
      const password = readOrMakePassword(folder, binaries);
      if (!existsSync(data)) await makeData(binaries, folder);
      const orphaned = FileLock.exclusive(join(folder, 'users'));
      orphaned?.release();
      const use = await FileLock.wait(() => FileLock.shared(join(folder, 'users')), 5_000, `locking ${folder}`);
      try {
        if (orphaned || !serves(data)) {
          await stopServer(binaries, data);
          await startServer(binaries, folder, options);
        }
        const { port, pid } = readServerFile(data) ?? { port: 0, pid: 0 };
        return new EmbeddedPostgres(folder, password, port, pid, use);
      } catch (error) {
        use.release();
        throw error;
      }
    } finally {
      turn.release();
    }
  }

  /** Stops the folder's server unless somebody uses it; true when nobody does. */
  static async stopUnused(path: string): Promise<boolean> {
    const folder = resolve(path);
    const data = join(folder, 'data');
    const turn = await takeTurn(folder);
    const alone = FileLock.exclusive(join(folder, 'users'));
    try {
      if (alone) await stopServer(await PostgresBinaries.find(data), data);
      return alone !== undefined;
    } finally {
      alone?.release();
      turn.release();
    }
  }

  url(database: string): string {
    return `postgres://${superuser}:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** Whether the server still runs; it may die without us. */
  get running(): boolean {
    return isServerOf(join(this.folder, 'data'), this.pid);
  }

  /** Makes the database when it is missing; says whether it was. */
  async ensureDatabase(name: string): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.url('postgres') });
    await client.connect();
    try {
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
      return rowCount === 0;
    } finally {
      await client.end();
    }
  }

  /** Ends the sessions and stops the server, unless others still use it. Its data is safe on disk afterwards. */
  async stop(): Promise<void> {
    this.use.release();
    await EmbeddedPostgres.stopUnused(this.folder);
  }
}

function takeTurn(folder: string): Promise<FileLock> {
  return FileLock.wait(() => FileLock.exclusive(join(folder, 'turn')), 90_000, `starting PostgreSQL in ${folder}`);
}

/** Made by us, but PostgreSQL runs as somebody else when we are root. */
function give(path: string, { owner }: PostgresBinaries): void {
  if (owner && statSync(path).uid !== owner.uid) chownSync(path, owner.uid, owner.gid);
}

function readOrMakePassword(folder: string, binaries: PostgresBinaries): string {
  const file = join(folder, 'password');
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o600 });
  give(file, binaries);
  return readFileSync(file, 'utf8');
}

/** Whole or not at all: an interrupted one is thrown away. */
async function makeData(binaries: PostgresBinaries, folder: string): Promise<void> {
  const unfinished = join(folder, 'data.new');
  rmSync(unfinished, { recursive: true, force: true });
  const flags = [
    ...['-D', unfinished, '-U', superuser, '-A', 'scram-sha-256', `--pwfile=${join(folder, 'password')}`],
    // Sorts by code point on every platform, as the containers of docker-compose.yml do.
    ...['--no-sync', '-E', 'UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
  ];
  const { status, output } = await binaries.run('initdb', flags, folder);
  if (status !== 0) throw new Error(explained(output, folder));
  renameSync(unfinished, join(folder, 'data'));
}

async function startServer(
  binaries: PostgresBinaries,
  folder: string,
  options: EmbeddedPostgresOptions,
): Promise<void> {
  const data = join(folder, 'data');
  const log = join(folder, 'server.log');
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort(folder);
    rmSync(log, { force: true });
    const flags = ['start', '-w', '-t', String(startSeconds), '-D', data, '-l', log, '-o', settings(port, options)];
    const { status, output } = await binaries.run('pg_ctl', flags, folder);
    if (status === 0) {
      writeFileSync(join(folder, 'port'), String(port));
      return;
    }
    const words = existsSync(log) ? readFileSync(log, 'utf8') : output;
    // Somebody took the port in between, or children of a killed server are about to notice that it is gone.
    const passing = /could not bind|pre-existing shared memory block/.test(words) && attempt < attempts;
    if (!passing) throw new Error(explained(words, folder));
    await sleep(200 * attempt);
  }
}

/** The one of the last time, so that an open psql session or a bookmark goes on working; else any. */
async function choosePort(folder: string): Promise<number> {
  const file = join(folder, 'port');
  const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  return last > 0 && (await isPortFree(last)) ? last : findFreePort();
}

function settings(port: number, { durable, maxConnections = 200 }: EmbeddedPostgresOptions): string {
  const fast = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    // The path of a socket may be too long for one, and Windows has none.
    unix_socket_directories: '',
    max_connections: maxConnections,
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(durable ? {} : fast),
  };
  return Object.entries(all)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

function serves(data: string): boolean {
  const server = readServerFile(data);
  return server !== undefined && isServerOf(data, server.pid);
}

/** Stops the data directory's server if there is one, and removes the lock file if there is none. */
async function stopServer(binaries: PostgresBinaries, data: string): Promise<void> {
  const server = readServerFile(data);
  if (!server || !serves(data)) {
    rmSync(serverFile(data), { force: true });
    return;
  }
  for (const [mode, seconds] of [
    ['fast', 5],
    ['immediate', 3],
  ] as const) {
    const flags = ['stop', '-w', '-t', String(seconds), '-m', mode, '-D', data];
    const { status } = await binaries.run('pg_ctl', flags, data);
    if (status === 0 || !isServerOf(data, server.pid)) return;
  }
  process.kill(server.pid, 'SIGKILL');
}

function explained(words: string, folder: string): string {
  if (/No space left on device|ENOSPC/.test(words)) return 'PostgreSQL did not start: the disk is full.';
  if (words.includes('initialized by PostgreSQL version')) {
    return `PostgreSQL did not start: ${folder} was made by another major version. Move it away to begin anew.`;
  }
  if (/Permission denied|not owned|wrong ownership/.test(words)) {
    return `PostgreSQL did not start: it may not use ${folder}, which belongs to another user.`;
  }
  return `PostgreSQL did not start. Its last words:\n${words.trim().split('\n').slice(-10).join('\n')}`;
}
