import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { findFreePort, isPortFree } from './port.js';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.js';

export interface EmbeddedPostgresOptions {
  /** Holds `data/`, the password and the port; made when missing. */
  readonly folder: string;
  /** False: a crash of the machine may lose everything. For databases that live as long as a test run. */
  readonly durable: boolean;
  readonly maxConnections?: number;
  /** Lines of the server's log. */
  readonly onLog?: (line: string) => void;
}

const superuser = 'belay';
const startupMs = 60_000;

/**
 * A real PostgreSQL server from npm's packages, on a port of the loopback interface, owning one data directory. Whatever
 * a killed predecessor left behind (a lock file, a server nobody waits for) is cleared away first.
 */
export class EmbeddedPostgres {
  private constructor(
    private readonly server: ChildProcess,
    readonly port: number,
    private readonly password: string,
    private readonly binaries: PostgresBinaries,
    private readonly data: string,
  ) {}

  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
    const binaries = await findPostgresBinaries();
    const folder = resolve(options.folder);
    const data = join(folder, 'data');
    const { password, port: lastPort } = prepare(binaries, folder, data);
    stopOrphan(binaries, data);

    const port = lastPort !== undefined && (await isPortFree(lastPort)) ? lastPort : await findFreePort();
    writeFileSync(join(folder, 'port'), String(port));
    const [program, args] = binaries.command(binaries.postgres, ['-D', data, ...settings(port, options)]);
    // In a session of its own: Ctrl-C must reach the applications first and the database last.
    const server = spawn(program, args, { ...ids(binaries), detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    const embedded = new EmbeddedPostgres(server, port, password, binaries, data);
    await embedded.waitUntilReady(options.onLog);
    return embedded;
  }

  url(database: string): string {
    return `postgres://${superuser}:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** Settles when the server has ended, for whatever reason. */
  get ended(): Promise<void> {
    return new Promise((resolve) => {
      if (this.server.exitCode !== null || this.server.signalCode !== null) resolve();
      else this.server.once('exit', () => resolve());
    });
  }

  /** Makes the database when it is missing; says whether it was. */
  async ensureDatabase(name: string): Promise<boolean> {
    return this.withClient(async (client) => {
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
      return rowCount === 0;
    });
  }

  /** Ends sessions and stops; data is safe on disk when it returns. */
  async stop(): Promise<void> {
    stopOrphan(this.binaries, this.data);
    await this.ended;
  }

  private async withClient<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const client = new pg.Client({ connectionString: this.url('postgres') });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  private async waitUntilReady(onLog: ((line: string) => void) | undefined): Promise<void> {
    const tail: string[] = [];
    this.server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter((part) => part !== '')) {
        tail.push(line);
        if (tail.length > 20) tail.shift();
        onLog?.(line);
      }
    });
    const deadline = Date.now() + startupMs;
    while (Date.now() < deadline) {
      if (this.server.exitCode !== null || this.server.signalCode !== null) break;
      const ready = await this.withClient(() => Promise.resolve(true)).catch(() => false);
      if (ready) return;
      await sleep(25);
    }
    this.server.kill('SIGKILL');
    throw new Error(explained(tail));
  }
}

/** Makes the data directory, whole or not at all; an existing one is taken as it is. */
function prepare(
  binaries: PostgresBinaries,
  folder: string,
  data: string,
): { password: string; port: number | undefined } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (binaries.owner) chownSync(folder, binaries.owner.uid, binaries.owner.gid);
  const passwordFile = join(folder, 'password');
  if (!existsSync(passwordFile)) {
    writeFileSync(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
    if (binaries.owner) chownSync(passwordFile, binaries.owner.uid, binaries.owner.gid);
  }
  if (!existsSync(data)) {
    const unfinished = `${data}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    const locale = process.platform === 'win32' ? [] : ['--locale=C.UTF-8'];
    const flags = [
      '-D',
      unfinished,
      '-U',
      superuser,
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordFile}`,
      '-E',
      'UTF8',
      '--no-sync',
    ];
    const [program, args] = binaries.command(binaries.initdb, [...flags, ...locale]);
    const made = spawnSync(program, args, { ...ids(binaries), encoding: 'utf8', cwd: folder });
    if (made.status !== 0)
      throw new Error(explained(`${made.stdout}${made.stderr}${made.error?.message ?? ''}`.split('\n')));
    renameSync(unfinished, data);
  }
  const portFile = join(folder, 'port');
  const port = existsSync(portFile) ? Number(readFileSync(portFile, 'utf8')) : undefined;
  return { password: readFileSync(passwordFile, 'utf8'), port };
}

function settings(port: number, { durable, maxConnections = 200 }: EmbeddedPostgresOptions): string[] {
  const fast = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', autovacuum_naptime: '5s' };
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: maxConnections,
    shared_buffers: '128MB',
    timezone: 'UTC',
    ...(durable ? {} : fast),
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** A server of this data directory that nobody waits for is stopped; a lock file without a server is removed. */
function stopOrphan(binaries: PostgresBinaries, data: string): void {
  const lock = join(data, 'postmaster.pid');
  if (!existsSync(lock)) return;
  if (!isServerOf(data, Number(readFileSync(lock, 'utf8').split('\n')[0]))) {
    rmSync(lock, { force: true });
    return;
  }
  for (const mode of ['fast', 'immediate']) {
    const [program, args] = binaries.command(binaries.pgCtl, ['stop', '-D', data, '-m', mode, '-w', '-t', '8']);
    if (spawnSync(program, args, { ...ids(binaries), cwd: data }).status === 0) return;
    if (!existsSync(lock)) return;
  }
  throw new Error(`A PostgreSQL server still uses ${data} and does not stop; its process id is in ${lock}.`);
}

/** The lock file of a killed server may name a process id that belongs to somebody else by now. */
function isServerOf(data: string, pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const commandLine = `/proc/${pid}/cmdline`;
  return existsSync(commandLine)
    ? readFileSync(commandLine, 'utf8').split('\0').includes(data)
    : process.platform !== 'linux';
}

function ids({ owner, command }: PostgresBinaries): { uid?: number; gid?: number } {
  const switchesItself = command('x', [])[0] !== 'x';
  return owner && !switchesItself ? owner : {};
}

function explained(log: readonly string[]): string {
  const text = log.join('\n').trim();
  if (/No space left on device|ENOSPC/.test(text)) return 'PostgreSQL did not start: the disk is full.';
  if (/incompatible with server|initialized by PostgreSQL version/.test(text)) {
    return 'PostgreSQL did not start: the data directory was made by another major version; move .belay/postgres away or keep using that version.';
  }
  return `PostgreSQL did not start. Its last words:\n${text}`;
}
