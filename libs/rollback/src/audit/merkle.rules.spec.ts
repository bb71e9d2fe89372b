import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { merklePath, merkleRoot, rootBy } from './merkle.rules.js';

const hashes = (count: number) =>
  Array.from({ length: count }, (_, index) => createHash('sha256').update(String(index)).digest());
const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();

describe('the Merkle tree of a stretch of the audit trail', () => {
  it('is that of RFC 9162', () => {
    const [one, two, three] = hashes(3).map((hash) => sha256(Buffer.of(0), hash));
    if (!one || !two || !three) throw new Error('three hashes are three');
    expect(merkleRoot(hashes(1))).toEqual(one);
    expect(merkleRoot(hashes(2))).toEqual(sha256(Buffer.of(1), one, two));
    expect(merkleRoot(hashes(3))).toEqual(sha256(Buffer.of(1), sha256(Buffer.of(1), one, two), three));
    expect(() => merkleRoot([])).toThrow('at least one');
  });

  it('proves each of its entries by ten hashes at most, and no other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.nat(999), fc.nat(999), (count, one, other) => {
        const all = hashes(count);
        const [index, stranger] = [one % count, other % count];
        const path = merklePath(all, index);
        expect(path.length).toBeLessThanOrEqual(10);
        const root = merkleRoot(all);
        expect(rootBy(all[index] ?? Buffer.alloc(0), path)).toEqual(root);
        if (index !== stranger) expect(rootBy(all[stranger] ?? Buffer.alloc(0), path)).not.toEqual(root);
      }),
      { numRuns: 60 },
    );
    expect(merklePath(hashes(1_000), 0)).toHaveLength(10);
  });
});
