import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { Writable } from 'node:stream';
import canonicalize from 'canonicalize';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { z } from 'zod';
import type { Signer } from '../engine/signer.js';
import type { World } from '../engine/world.js';
import { BackupBroken, BackupKeyMissing, BackupLedgerUnknown, DocumentTooNew } from '../rollback.problems.js';
import {
  backupManifest,
  MANIFEST_VERSION,
  type BackedUpTable,
  type BackupFinding,
  type BackupLevel,
  type BackupManifest,
  type UnsignedManifest,
} from './backup.contract.js';
import { keyId, pourFile, sha256Of, textOf, type LineCount, type Vessel } from './backup-file.js';
import { migrationFile, readMigrationSql, type MigrationSql } from './backup-ledger.rules.js';
import { findBackup, newestRecord, type BackupRecord } from './backup.queries.js';

export const MANIFEST = 'manifest.json';

/** The newest backup that covers these domains and was proven to the level; undefined when there is none. */
export function newestBackup(
  world: World,
  wanted: { readonly domains: readonly string[] | 'application' | 'control'; readonly level: BackupLevel },
): Promise<BackupRecord | undefined> {
  return newestRecord(world.control, wanted);
}

/**
 * A backup whose every file was compared with the signed manifest just now, in its own folder or, when that is not
 * whole, in the second one. Throws `backup-broken` with what was found.
 */
export async function openBackup(world: World, id: string, signal?: AbortSignal): Promise<OpenBackup> {
  const record = await findBackup(world.control, id);
  const findings: BackupFinding[] = [];
  for (const folder of foldersOf(world, record)) {
    const { manifest, problems } = await readWhole(world.signer, folder, { id, sha256: record.sha256 }, signal);
    if (manifest && problems.length === 0) {
      if (findings.length > 0)
        world.runtime.log.error({ backup: id, findings }, 'only the second copy of a backup is whole');
      return new OpenBackup(record, manifest, vesselOf(world, manifest, folder));
    }
    findings.push(...problems);
  }
  throw new BackupBroken(id, findings);
}

/** What a backup says of itself, by its signed manifest alone; whether its files are whole is not looked at. */
export async function manifestOf(world: World, record: BackupRecord): Promise<BackupManifest> {
  for (const folder of foldersOf(world, record)) {
    const found = await readManifest(folder).catch(() => undefined);
    if (!found) continue;
    const { signature, ...unsigned } = found;
    if (found.id === record.id && world.signer.signed(signedBytes(unsigned), signature)) return found;
  }
  throw new BackupBroken(record.id, [{ level: 1, subject: MANIFEST, problem: 'cannot be read' }]);
}

export function foldersOf(world: World, { id, location }: Pick<BackupRecord, 'id' | 'location'>): readonly string[] {
  const copies = world.runtime.config.BACKUP_COPY_DIR;
  return copies === undefined ? [location] : [location, join(copies, id)];
}

export function vesselOf(world: World, { id, cipher }: Pick<BackupManifest, 'id' | 'cipher'>, folder: string): Vessel {
  const { BACKUP_KEY } = world.runtime.config;
  if (cipher === null) return { id, folder, key: null };
  const key = BACKUP_KEY === undefined ? undefined : Buffer.from(BACKUP_KEY, 'base64');
  if (!key || keyId(key) !== cipher.keyId) throw new BackupKeyMissing(id, cipher.keyId);
  return { id, folder, key };
}

/** What is signed: everything that the manifest says, in canonical JSON. */
export function signedBytes(manifest: UnsignedManifest): Buffer {
  return Buffer.from(canonicalize(manifest) ?? '');
}

/** Level 1: signature and every file, and nothing besides. Needs no key. `sha256` is the manifest's, where it is known. */
export async function readWhole(
  signer: Signer,
  folder: string,
  { id, sha256: ofManifest = null }: { readonly id: string; readonly sha256?: string | null },
  signal?: AbortSignal,
): Promise<{ manifest: BackupManifest | undefined; problems: readonly BackupFinding[] }> {
  const problems: BackupFinding[] = [];
  const found = (subject: string, problem: string) => problems.push({ level: 1, subject, problem });
  const manifest = await readManifest(folder).catch((error: unknown) => {
    if (error instanceof DocumentTooNew) throw error;
    found(MANIFEST, error instanceof z.ZodError ? 'is not a manifest' : 'cannot be read');
    return undefined;
  });
  if (!manifest) return { manifest, problems };

  const { signature, ...unsigned } = manifest;
  if (!signer.signed(signedBytes(unsigned), signature)) found(MANIFEST, 'is not signed by this installation');
  if (ofManifest !== null && ofManifest !== (await sha256Of(join(folder, MANIFEST))).sha256) {
    found(MANIFEST, 'has another content');
  }
  if (manifest.id !== id) found(MANIFEST, `is of backup ${manifest.id}`);
  const present = new Set(await filesIn(folder));
  present.delete(MANIFEST);
  for (const file of manifest.files) {
    if (!present.delete(file.path)) {
      found(file.path, 'is missing');
      continue;
    }
    const { bytes, sha256 } = await sha256Of(join(folder, file.path), signal);
    if (bytes !== file.bytes) found(file.path, `has ${bytes} bytes instead of ${file.bytes}`);
    else if (sha256 !== file.sha256) found(file.path, 'has another content');
  }
  for (const foreign of present) found(foreign, 'does not belong to the backup');
  return { manifest, problems };
}

async function readManifest(folder: string): Promise<BackupManifest> {
  const document: unknown = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8'));
  const { schemaVersion } = z.object({ schemaVersion: z.number() }).parse(document);
  if (schemaVersion > MANIFEST_VERSION) throw new DocumentTooNew('The manifest', schemaVersion, MANIFEST_VERSION);
  return backupManifest.parse(document);
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .split(sep)
        .join('/'),
    );
}

/** Reads a backup. Its files were compared with the manifest when it was opened. */
export class OpenBackup {
  constructor(
    readonly record: BackupRecord,
    readonly manifest: BackupManifest,
    private readonly vessel: Vessel,
  ) {}

  /** The tables of these domains, or all of them; the rows of platform tables that belong to a domain are among them. */
  tables(domains?: readonly string[]): readonly BackedUpTable[] {
    const { tables } = this.manifest;
    return domains ? tables.filter(({ domain }) => domains.includes(domain)) : tables;
  }

  /** By its qualified name, as it was when the backup was made. */
  table(schema: string, table: string): BackedUpTable | undefined {
    return this.manifest.tables.find((one) => one.schema === schema && one.table === table);
  }

  /**
   * Copies the rows into a table that has at least these columns, its own unless another is named. The client is in
   * whatever transaction the caller wants; throws when the number of rows is not the manifest's.
   */
  async copyInto(
    client: pg.ClientBase,
    table: BackedUpTable,
    target: { readonly schema: string; readonly table: string } = table,
    signal?: AbortSignal,
  ): Promise<bigint> {
    const columns = table.columns.map((column) => pg.escapeIdentifier(column)).join(', ');
    const name = `${pg.escapeIdentifier(target.schema)}.${pg.escapeIdentifier(target.table)}`;
    const into = client.query(copyFrom(`COPY ${name} ${columns && `(${columns})`} FROM STDIN`));
    await pourFile(this.vessel, table.file, into, signal);
    const copied = BigInt(into.rowCount);
    if (copied !== BigInt(table.rows)) throw new Error(`${name} got ${copied} rows instead of ${table.rows}`);
    return copied;
  }

  /** Level 2 of one table: its file is read to the end. */
  count(table: BackedUpTable, signal?: AbortSignal): Promise<LineCount> {
    const nowhere = new Writable({
      write(_chunk, _encoding, done) {
        done();
      },
    });
    return pourFile(this.vessel, table.file, nowhere, signal);
  }

  /** One of the files beside the data, e.g. `flags.json`. */
  text(path: string): Promise<string> {
    return textOf(this.vessel, path);
  }

  /** The migrations of a domain in order, as they ran; throws `backup-ledger-unknown` when one of them is not known. */
  async ledgerOf(
    domain: string,
  ): Promise<readonly (BackupManifest['ledger'][number] & { readonly sql: MigrationSql })[]> {
    const lines = this.manifest.ledger.filter((line) => line.domain === domain);
    const files = new Set(this.manifest.files.map(({ path }) => path));
    const unknown = lines.filter(({ name }) => !files.has(migrationFile(domain, name)));
    if (unknown.length > 0) throw new BackupLedgerUnknown(unknown.map(({ name }) => `${domain}/${name}`));
    return Promise.all(
      lines.map(async (line) => ({
        ...line,
        sql: readMigrationSql(await this.text(migrationFile(domain, line.name))),
      })),
    );
  }
}
