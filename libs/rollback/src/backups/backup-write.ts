import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import pg from 'pg';
import type { World } from '../engine/world.js';
import {
  MANIFEST_VERSION,
  type BackedUpTable,
  type BackupManifest,
  type BackupScope,
  type UnsignedManifest,
} from './backup.contract.js';
import { contextFiles } from './backup-context.service.js';
import { keyId, writeFileOf, type Vessel, type WrittenFile } from './backup-file.js';
import { copyTwice, publish } from './backup-folder.js';
import { migrationFile, writeMigrationSql } from './backup-ledger.rules.js';
import { BackupRoom, toldOfRoom } from './backup-room.js';
import { migrationSql, refuseDrift } from './backup-schema.queries.js';
import { readSequences, readSource, type Source, type SourceTable } from './backup-source.queries.js';
import { eachOf, openFixed } from './fixed-session.js';
import { MANIFEST, readWhole, signedBytes } from './open-backup.js';
import { lanes } from './restore-into.js';
import { copyTable, lockTables } from './table-copy.js';

export interface BackupRequest {
  readonly id: string;
  readonly scope: BackupScope;
  readonly signal?: AbortSignal;
  /** As the server shows the connections that read. */
  readonly sessionName?: string;
  readonly progress?: (done: number, total: number, unit: string) => void;
}

export interface WrittenBackup {
  readonly manifest: BackupManifest;
  readonly folder: string;
  /** Of the manifest's file. */
  readonly sha256: string;
  /** Of all files. */
  readonly bytes: number;
  /** False when a second copy was asked for and could not be written. */
  readonly copied: boolean;
}

/**
 * Writes the folder of a backup: it is there with everything in it, or not at all. One that is there already, because an
 * earlier attempt was not heard of any more, is answered as it is.
 */
export async function writeBackup(world: World, request: BackupRequest): Promise<WrittenBackup> {
  const { BACKUP_DIR, BACKUP_COPY_DIR, BACKUP_KEY } = world.runtime.config;
  const folder = join(BACKUP_DIR, request.id);
  const earlier = await writtenIn(world, folder, request);
  if (earlier) return told(earlier, folder);
  await rm(folder, { recursive: true, force: true });

  await mkdir(BACKUP_DIR, { recursive: true });
  const draft = `${folder}.${randomBytes(4).toString('hex')}.part`;
  const key = BACKUP_KEY === undefined ? null : Buffer.from(BACKUP_KEY, 'base64');
  try {
    await mkdir(draft);
    const manifest = await new Writing(world, request, { id: request.id, folder: draft, key }).run();
    await publish(draft, folder);
    const copied = BACKUP_COPY_DIR === undefined || (await copyTwice(world, folder, BACKUP_COPY_DIR, manifest));
    return await told(manifest, folder, copied);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another attempt at the same backup was faster.
    const other = await writtenIn(world, folder, request);
    if (other) return await told(other, folder);
    throw toldOfRoom(error, BACKUP_DIR);
  }
}

async function writtenIn(
  world: World,
  folder: string,
  { id, signal }: BackupRequest,
): Promise<BackupManifest | undefined> {
  const { manifest, problems } = await readWhole(world.signer, folder, { id }, signal);
  return problems.length === 0 ? manifest : undefined;
}

/** One attempt. */
class Writing {
  readonly #files: WrittenFile[] = [];
  readonly #startedAt = new Date().toISOString();
  readonly #control: boolean;

  constructor(
    private readonly world: World,
    private readonly request: BackupRequest,
    private readonly vessel: Vessel,
  ) {
    this.#control = request.scope.kind === 'control';
  }

  async run(): Promise<BackupManifest> {
    const clients: pg.Client[] = [];
    try {
      const leader = await this.openSession(clients, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const { rows } = await leader.query<{ name: string }>('SELECT pg_export_snapshot() AS name');
      const source = await readSource(leader, this.request.scope, this.orderOfDomains());
      await refuseDrift(this.world.control, source);
      const estimate = source.tables.reduce((bytes, table) => bytes + table.bytes, 0);
      const room = await BackupRoom.check(dirname(this.vessel.folder), estimate);
      await lockTables(leader, source.tables);

      const snapshot = pg.escapeLiteral(rows[0]?.name ?? '');
      const join = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${snapshot}`;
      const others = await Promise.all(Array.from({ length: lanes - 1 }, () => this.openSession(clients, join)));
      const tables = await this.copyTables([leader, ...others], source.tables, room);
      const sequences = await readSequences(leader, source.domains);
      for (const { domain, name, ...sql } of await migrationSql(this.world.control, source.ledger))
        await this.writeText(migrationFile(domain, name), writeMigrationSql(sql));
      for (const [name, content] of await contextFiles(this.world))
        await this.writeText(name, JSON.stringify(content, null, 2));
      return await this.finish(source, tables, sequences);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  }

  private orderOfDomains(): readonly string[] {
    const database = this.#control ? 'control' : 'application';
    return this.world.ledgers.filter((ledger) => ledger.database === database).map(({ domain }) => domain);
  }

  private async openSession(clients: pg.Client[], begin: string): Promise<pg.Client> {
    const { databaseUrl, controlUrl } = this.world.targets;
    const client = await openFixed(
      this.#control ? controlUrl : databaseUrl,
      this.request.sessionName ?? `belay:backup:${this.request.id.slice(-8)}`,
    );
    clients.push(client);
    await client.query(begin);
    return client;
  }

  private async copyTables(
    clients: readonly pg.Client[],
    tables: readonly SourceTable[],
    room: BackupRoom,
  ): Promise<BackedUpTable[]> {
    const { request } = this;
    const signal = AbortSignal.any([room.signal, ...(request.signal ? [request.signal] : [])]);
    const total = tables.reduce((bytes, table) => bytes + table.bytes, 0);
    let done = 0;
    const copied: BackedUpTable[] = [];
    const written = (bytes: number) => {
      room.written(bytes);
    };
    const lane = (client: pg.Client) => async (table: SourceTable) => {
      copied.push(await copyTable(client, table, (path, content) => this.write(path, content, { signal, written })));
      done += table.bytes;
      request.progress?.(done, total, 'bytes');
    };
    const largestFirst = [...tables].sort((one, other) => other.bytes - one.bytes);
    await eachOf(largestFirst, clients.map(lane), signal);
    const place = new Map(tables.map((table, index) => [`${table.schema}.${table.table}`, index]));
    const placeOf = ({ schema, table }: BackedUpTable) => place.get(`${schema}.${table}`) ?? 0;
    return copied.sort((one, other) => placeOf(one) - placeOf(other));
  }

  private async finish(
    source: Source,
    tables: BackedUpTable[],
    sequences: BackupManifest['sequences'],
  ): Promise<BackupManifest> {
    const { scope, id } = this.request;
    const { server, database, snapshot, snapshotAt, wal, domains, ledger, catalogs, leftOut } = source;
    const { extensions, partitions, materializedViews } = source;
    const unsigned = {
      schemaVersion: MANIFEST_VERSION,
      id,
      scope: scope.kind,
      domains,
      release: this.world.runtime.config.BUILD_SHA,
      server,
      database,
      snapshot,
      snapshotAt,
      wal,
      startedAt: this.#startedAt,
      finishedAt: new Date().toISOString(),
      codec: 'copy-text+zstd',
      hashAlgorithm: 'sha256',
      cipher: this.vessel.key && { algorithm: 'aes-256-gcm', keyId: keyId(this.vessel.key) },
      files: this.#files
        .map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }))
        .sort((one, other) => (one.path < other.path ? -1 : 1)),
      tables,
      ledger,
      catalogs,
      leftOut,
      sequences,
      extensions,
      partitions,
      materializedViews,
    } satisfies UnsignedManifest;
    const manifest = { ...unsigned, signature: this.world.signer.sign(signedBytes(unsigned)) };
    const file = join(this.vessel.folder, MANIFEST);
    await writeFile(`${file}.new`, textOf(manifest), { flag: 'wx', mode: 0o600, flush: true });
    await rename(`${file}.new`, file);
    return manifest;
  }

  private writeText(path: string, text: string): Promise<WrittenFile> {
    return this.write(path, () => Readable.from([Buffer.from(text)]));
  }

  private async write(
    path: string,
    content: () => Readable,
    watch?: Parameters<typeof writeFileOf>[3],
  ): Promise<WrittenFile> {
    const file = await writeFileOf(this.vessel, path, content, watch);
    this.#files.push(file);
    return file;
  }
}

async function told(manifest: BackupManifest, folder: string, copied = true): Promise<WrittenBackup> {
  const text = await readFile(join(folder, MANIFEST));
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  return { manifest, folder, sha256: createHash('sha256').update(text).digest('hex'), bytes, copied };
}

function textOf(manifest: BackupManifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`;
}
