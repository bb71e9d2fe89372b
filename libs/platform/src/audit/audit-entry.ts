import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';

/** PostgreSQL stores neither NUL nor halves of surrogate pairs; whoever sends such a text is audited all the same. */
const text = z.string().transform((value) => value.toWellFormed().replaceAll('\0', '\uFFFD'));
const optional = text.nullable().default(null);

/** One act worth remembering: who did what to what, where, why, and how it ended. Denied attempts are acts too. */
export const newAuditEntry = z.strictObject({
  actor: z.strictObject({ id: text, role: optional, session: optional, ip: optional }),
  /** What was done, as a verb with its noun in front, e.g. `flag.off`. */
  action: text,
  subject: text,
  environment: text,
  reason: optional,
  planId: optional,
  runId: z.uuid().toLowerCase().nullable().default(null),
  /** SHA-256 in hex of the subject before and after. */
  beforeDigest: optional,
  afterDigest: optional,
  outcome: text,
});
export type NewAuditEntry = z.input<typeof newAuditEntry>;

/** An entry in its place. What was read from the table may be anything: it is hashed as it stands there. */
export interface AuditEntry extends Readonly<Record<Exclude<keyof z.output<typeof newAuditEntry>, 'actor'>, unknown>> {
  readonly seq: number;
  /** ISO 8601 in UTC with milliseconds, which is all the precision that is stored. */
  readonly at: string;
  readonly actor: unknown;
}

export interface ChainedEntry {
  readonly entry: AuditEntry;
  readonly prevHash: Buffer;
  readonly hash: Buffer;
}

/** What the first entry follows. */
export const GENESIS: Buffer = Buffer.alloc(32);

/** SHA-256 of the hash before and the entry in canonical JSON (RFC 8785), which has every member, absent ones as null. */
export function hashOf(prevHash: Buffer, entry: AuditEntry): Buffer {
  return createHash('sha256')
    .update(prevHash)
    .update(canonicalize(entry) ?? '')
    .digest();
}
