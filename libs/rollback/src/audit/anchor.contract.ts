import { z } from 'zod';

/** Written into every anchor; an older reader refuses a newer one. */
export const ANCHOR_VERSION = 1;
/** More entries than this are told by several anchors, so that a path has ten hashes at most. */
export const MOST_ENTRIES = 1_000;

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const instant = z.iso.datetime();
const place = z.number().int().min(1);

const signature = z.strictObject({ algorithm: z.literal('Ed25519'), publicKey: z.string(), value: z.string() });

export const anchorView = z
  .strictObject({
    schemaVersion: z.literal(ANCHOR_VERSION),
    from: place.describe('The first entry that it speaks for'),
    seq: place.describe('The last one'),
    at: instant,
    hash: hex.describe('Of the last entry'),
    merkleRoot: hex.describe('Of the hashes of all of them'),
    signature: signature.describe('Of all that in canonical JSON'),
  })
  .meta({ id: 'AuditAnchor' });
export type Anchor = z.infer<typeof anchorView>;
