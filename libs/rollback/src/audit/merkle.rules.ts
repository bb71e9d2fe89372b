import { createHash } from 'node:crypto';

/** One step from an entry to the root: the hash beside it, and on which side that stands. */
export interface MerkleStep {
  readonly side: 'left' | 'right';
  readonly hash: Buffer;
}

// As in RFC 9162: a leaf can never be taken for a node.
const leaf = (hash: Buffer) => sha256(Buffer.of(0), hash);
const node = (left: Buffer, right: Buffer) => sha256(Buffer.of(1), left, right);

/** Of at least one hash, in their order. */
export function merkleRoot(hashes: readonly Buffer[]): Buffer {
  const [first, second] = hashes;
  if (!first) throw new Error('A tree has at least one leaf');
  if (!second) return leaf(first);
  const half = halfOf(hashes.length);
  return node(merkleRoot(hashes.slice(0, half)), merkleRoot(hashes.slice(half)));
}

/** What leads from one of the hashes to their root: as many steps as the tree is deep, ten for a thousand. */
export function merklePath(hashes: readonly Buffer[], index: number): readonly MerkleStep[] {
  if (hashes.length <= 1) return [];
  const half = halfOf(hashes.length);
  const [left, right] = [hashes.slice(0, half), hashes.slice(half)];
  return index < half
    ? [...merklePath(left, index), { side: 'right', hash: merkleRoot(right) }]
    : [...merklePath(right, index - half), { side: 'left', hash: merkleRoot(left) }];
}

/** The root that the path leads to, without any of the other hashes. */
export function rootBy(hash: Buffer, path: readonly MerkleStep[]): Buffer {
  return path.reduce((below, { side, hash: beside }) => {
    return side === 'left' ? node(beside, below) : node(below, beside);
  }, leaf(hash));
}

/** The largest power of two that is smaller. */
function halfOf(length: number): number {
  return 2 ** Math.floor(Math.log2(length - 1));
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
