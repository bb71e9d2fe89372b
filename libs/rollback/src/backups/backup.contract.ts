import { listOf, page } from '@belay/platform';
import { z } from 'zod';

/** Of the manifest; an older reader refuses a newer one (`document-too-new`). */
export const MANIFEST_VERSION = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Numbers that may be greater than a double can hold. */
const big = z.string().regex(/^-?\d+$/);
/** Inside the backup's folder, with `/`, never leading out of it. What a file system may not take is written `%2E`. */
const path = z
  .string()
  .regex(/^(?:[a-z0-9_.$%-]+\/)*[a-z0-9_.$%-]+$/i)
  .refine((name) => !name.split('/').includes('..'));

export const backupScope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('domains'), domains: z.array(z.string().min(1)).min(1) }),
  z.strictObject({ kind: z.literal('application') }),
  z.strictObject({ kind: z.literal('control') }),
]);
export type BackupScope = z.infer<typeof backupScope>;

const backedUpTable = z.strictObject({
  domain: z.string(),
  schema: z.string(),
  table: z.string(),
  /** Sorted, without generated ones; in this order in the file. */
  columns: z.array(z.string()),
  /** SQL over the columns of the table, when only a domain's part of a platform table is in the backup. */
  where: z.string().nullable(),
  rows: big,
  /** Sum of hashtextextended over the text of every row: the same in whatever order rows stand. */
  hash: big,
  /** Of the text before it is packed. */
  bytes: big,
  file: path,
});
export type BackedUpTable = z.infer<typeof backedUpTable>;

/** Everything that is signed. */
export const unsignedManifest = z.object({
  schemaVersion: z.literal(MANIFEST_VERSION),
  id: z.uuid(),
  scope: z.enum(['domains', 'application', 'control']),
  /** Whose rows are in it, in the order of their migrations. */
  domains: z.array(z.string()),
  release: z.string(),
  server: z.strictObject({ version: z.string(), number: z.number().int() }),
  /** How the database was made and set, so that one like it can be made. */
  database: z.strictObject({
    name: z.string(),
    encoding: z.string(),
    collate: z.string(),
    ctype: z.string(),
    /** c, i or b: the C library's, ICU's or PostgreSQL's own. */
    provider: z.string(),
    locale: z.string().nullable(),
    /** `name=value`, as ALTER DATABASE … SET left them. */
    settings: z.array(z.string()),
  }),
  /** `pg_current_snapshot()`: every figure below is of it. */
  snapshot: z.string(),
  snapshotAt: z.iso.datetime({ offset: true }),
  wal: z.string().nullable(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  codec: z.literal('copy-text+zstd'),
  hashAlgorithm: z.literal('sha256'),
  /** `keyId` tells keys apart and says nothing of them. */
  cipher: z.strictObject({ algorithm: z.literal('aes-256-gcm'), keyId: z.string() }).nullable(),
  /** Everything in the folder but the manifest itself. */
  files: z.array(z.strictObject({ path, bytes: z.number().int(), sha256 })),
  tables: z.array(backedUpTable),
  /** Of every domain of the database, in the order in which they are brought up; a backup of one stands on others. */
  ledger: z.array(
    z.strictObject({
      domain: z.string(),
      name: z.string(),
      checksum: z.string(),
      state: z.enum(['applied', 'parked']),
      at: z.iso.datetime({ offset: true }),
    }),
  ),
  catalogs: z.array(
    z.strictObject({
      domain: z.string(),
      /** Of its schema, live and parked. */
      fingerprint: sha256,
      /** Qualified; read apart from what was copied. */
      tables: z.array(z.string()),
    }),
  ),
  /** Schemas that no ledger of the build knows: kept copies of failed ones, queues. */
  leftOut: z.array(z.string()),
  sequences: z.array(z.strictObject({ schema: z.string(), name: z.string(), value: big, called: z.boolean() })),
  extensions: z.array(z.strictObject({ name: z.string(), version: z.string(), schema: z.string() })),
  partitions: z.array(
    z.strictObject({
      schema: z.string(),
      partition: z.string(),
      /** Qualified and quoted. */
      parent: z.string(),
      bound: z.string(),
      /** How it is divided itself. */
      by: z.string().nullable(),
    }),
  ),
  materializedViews: z.array(z.strictObject({ schema: z.string(), name: z.string() })),
});

export const backupManifest = z.strictObject({
  ...unsignedManifest.shape,
  signature: z.strictObject({ algorithm: z.literal('Ed25519'), publicKey: z.string(), value: z.string() }),
});
export type BackupManifest = z.infer<typeof backupManifest>;
export type UnsignedManifest = z.infer<typeof unsignedManifest>;

/** What a backup was proven to be good for: 1 whole, 2 readable, 3 restorable, 4 equal. */
export const backupLevel = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)]);
export type BackupLevel = z.infer<typeof backupLevel>;

export const backupFinding = z.strictObject({
  level: z.number().int(),
  /** What it is about: a file, a table, a constraint. */
  subject: z.string(),
  problem: z.string(),
});
export type BackupFinding = z.infer<typeof backupFinding>;

export const backupView = z
  .object({
    id: z.uuid(),
    scope: z.enum(['domains', 'application', 'control']),
    domains: z.array(z.string()),
    state: z.enum(['creating', 'created', 'checksummed', 'complete', 'restored', 'proven', 'expired', 'broken']),
    level: backupLevel.describe('1 whole, 2 readable, 3 restorable, 4 proven equal'),
    /** To be reached by whoever works on it; null when nobody has to. */
    wantedLevel: backupLevel.nullable(),
    bytes: z.number().nullable(),
    location: z.string(),
    snapshotAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    requestedBy: z.string(),
    runId: z.uuid().nullable(),
    drillAt: z.iso.datetime().nullable(),
    drillMs: z.number().nullable().describe('How long restoring and proving it took last time'),
    findings: z.array(backupFinding),
  })
  .meta({ id: 'Backup' });
export type BackupView = z.infer<typeof backupView>;

export const backupList = listOf(backupView);

export const backupQuery = page;
export type BackupQuery = z.infer<typeof backupQuery>;

export const newBackup = z
  .strictObject({
    scope: backupScope,
    level: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]).default(4),
  })
  .meta({ id: 'NewBackup' });
export type NewBackupRequest = z.infer<typeof newBackup>;

export const backupPath = z.strictObject({ id: z.uuid() });
export type BackupPath = z.infer<typeof backupPath>;

export const wantedProof = z
  .strictObject({ level: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]) })
  .meta({ id: 'WantedProof' });
export type WantedProof = z.infer<typeof wantedProof>;

export const drillPath = z.strictObject({ id: z.string().min(1).max(100) });
export type DrillPath = z.infer<typeof drillPath>;

export const requestedDrill = z
  .object({ runbook: z.string(), version: z.number().int(), dueAt: z.iso.datetime() })
  .meta({ id: 'RequestedDrill' });
export type RequestedDrill = z.infer<typeof requestedDrill>;
