import { hashOf, type AuditEntry, type ChainedEntry } from '@belay/platform';
import { z } from 'zod';
import { exportFormats } from './audit.contract.js';

/** Written into every export; an older reader refuses a newer one. */
export const EXPORT_VERSION = 1;

/** What an export says of itself before its entries. */
export interface ExportTitle {
  readonly environment: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly head: { readonly seq: number; readonly hash: string } | null;
  readonly exportedAt: string;
  readonly exportedBy: string;
}

export const exportSeal = z.strictObject({
  schemaVersion: z.literal(EXPORT_VERSION),
  format: z.enum(exportFormats),
  environment: z.string(),
  from: z.number().nullable(),
  to: z.number().nullable(),
  head: z.strictObject({ seq: z.number(), hash: z.string() }).nullable(),
  exportedAt: z.string(),
  exportedBy: z.string(),
  entries: z.number().int(),
  /** Of all bytes before the line with the seal. */
  sha256: z.string(),
  signature: z.strictObject({ algorithm: z.literal('Ed25519'), publicKey: z.string(), value: z.string() }),
});
/** The last line of every export: what it holds, and the signature of that in canonical JSON. */
export type ExportSeal = z.infer<typeof exportSeal>;

/** How entries are written for one kind of reader. Every text ends with the end of a line; the seal is one line. */
export interface ExportFormatter {
  readonly mediaType: string;
  readonly extension: string;
  readonly begin: (title: ExportTitle) => string;
  readonly entry: (chained: ChainedEntry) => string;
  readonly end: (seal: ExportSeal) => string;
  /** The seal in the last line; undefined when it is none. */
  readonly sealIn: (line: string) => unknown;
  /**
   * The entries of what stands before the seal, as they were written; undefined when the format is for people and keeps
   * nothing that could be hashed again.
   */
  readonly read?: (lines: AsyncIterable<string>) => AsyncIterable<ChainedEntry>;
}

const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((hex) => Buffer.from(hex, 'hex'));

/** An entry as exports carry it whole: as it is hashed, with both hashes. */
export const carried = z.object({
  entry: z.looseObject({
    seq: z.number(),
    at: z.string(),
    actor: z.unknown(),
    action: z.unknown(),
    subject: z.unknown(),
    environment: z.unknown(),
    reason: z.unknown(),
    planId: z.unknown(),
    runId: z.unknown(),
    beforeDigest: z.unknown(),
    afterDigest: z.unknown(),
    outcome: z.unknown(),
  }),
  prevHash: hash,
  hash,
});

export function carry({ entry, prevHash, hash: own }: ChainedEntry) {
  return { entry, prevHash: prevHash.toString('hex'), hash: own.toString('hex') };
}

export function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value : value == null ? '' : JSON.stringify(value);
}

const actorFacts = z.object({
  id: z.string().catch(''),
  role: z.string().nullable().catch(null),
  session: z.string().nullable().catch(null),
  ip: z.string().nullable().catch(null),
});

/** Who it was, as far as it can be read. */
export function actorIn({ actor }: AuditEntry): z.infer<typeof actorFacts> {
  return actorFacts.catch({ id: wordsOf(actor), role: null, session: null, ip: null }).parse(actor);
}

/** How an act ended, for those who only know good and bad. */
export function endedWell({ outcome }: AuditEntry): boolean {
  return !/^(denied|refused|failed|HIGH)/.test(wordsOf(outcome));
}

/** Whether entry follows entry, each with the hash of its own words; where not, the number of the first that does not. */
export class ChainFollower {
  #last: { readonly seq: number; readonly hash: Buffer } | undefined;
  broken: number | undefined;
  entries = 0;

  take({ entry, prevHash, hash: own }: ChainedEntry): void {
    this.entries += 1;
    const last = this.#last ?? { seq: entry.seq - 1, hash: entry.seq === 1 ? Buffer.alloc(32) : prevHash };
    const follows = entry.seq === last.seq + 1 && prevHash.equals(last.hash) && hashOf(prevHash, entry).equals(own);
    if (!follows) this.broken ??= entry.seq;
    this.#last = { seq: entry.seq, hash: own };
  }

  get last(): { readonly seq: number; readonly hash: Buffer } | undefined {
    return this.#last;
  }
}
