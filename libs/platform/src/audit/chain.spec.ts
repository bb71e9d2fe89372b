import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashOf, type ChainedEntry } from './audit-entry.js';
import { breakAtEnd, explain, follow, hashesAround, START, type Break, type Link } from './chain.js';

function written(length: number): ChainedEntry[] {
  const chain: ChainedEntry[] = [];
  let last: Link = START;
  for (let seq = 1; seq <= length; seq++) {
    const entry = {
      seq,
      at: new Date(1_700_000_000_000 + seq).toISOString(),
      actor: { id: 'maria' },
      action: 'flag.off',
      subject: `flag-${seq}`,
      environment: 'test',
      reason: null,
      planId: null,
      runId: null,
      beforeDigest: null,
      afterDigest: null,
      outcome: 'done',
    };
    const hash = hashOf(last.hash, entry);
    chain.push({ entry, prevHash: last.hash, hash });
    last = { seq, hash };
  }
  return chain;
}

function headOf(chain: readonly ChainedEntry[]): Link {
  const last = chain.at(-1);
  return last ? { seq: last.entry.seq, hash: last.hash } : START;
}

function verify(rows: readonly ChainedEntry[], head: Link): Break | undefined {
  const end = follow(
    START,
    rows.toSorted((one, other) => one.entry.seq - other.entry.seq),
  );
  if (!('last' in end)) return breakAtEnd(end, head);
  const hashes = hashesAround(end);
  const around = rows.filter(({ prevHash, hash }) => hashes.some((one) => one.equals(prevHash) || one.equals(hash)));
  return explain(end, around, head);
}

const at = (seq: number, row: ChainedEntry): ChainedEntry => ({ ...row, entry: { ...row.entry, seq } });
const rowsFrom = (rows: readonly ChainedEntry[], seq: number, by: number) =>
  rows.map((row) => (row.entry.seq >= seq ? at(row.entry.seq + by, row) : row));

type Edit = (rows: readonly ChainedEntry[]) => ChainedEntry[];

/** What somebody with all rights can do to the rows without computing a hash. */
const edit: fc.Arbitrary<Edit> = fc
  .record({ seq: fc.nat(12), other: fc.nat(12), noise: fc.uint8Array({ minLength: 32, maxLength: 32 }) })
  .chain(({ seq, other, noise }) => {
    const forged = Buffer.from(noise);
    const replace = (change: (row: ChainedEntry) => ChainedEntry): Edit => {
      return (rows) => rows.map((row) => (row.entry.seq === seq ? change(row) : row));
    };
    const copy = (rows: readonly ChainedEntry[]) => rows.filter((row) => row.entry.seq === other);
    return fc.constantFrom<Edit>(
      replace((row) => ({ ...row, entry: { ...row.entry, reason: forged.toString('hex') } })),
      replace((row) => ({ ...row, entry: { ...row.entry, actor: { id: 'otto' } } })),
      replace((row) => ({ ...row, hash: forged })),
      replace((row) => ({ ...row, prevHash: forged })),
      (rows) => rows.filter((row) => row.entry.seq !== seq),
      (rows) =>
        rowsFrom(
          rows.filter((row) => row.entry.seq !== seq),
          seq,
          -1,
        ),
      (rows) => {
        const places = new Map([
          [seq, other],
          [other, seq],
        ]);
        return rows.map((row) => at(places.get(row.entry.seq) ?? row.entry.seq, row));
      },
      (rows) => [...rowsFrom(rows, seq, 1), ...copy(rows).map((row) => at(seq, row))],
      (rows) => [...rowsFrom(rows, seq, 1), ...copy(rows).map((row) => ({ ...at(seq, row), hash: forged }))],
    );
  });

/** The first place where the rows are not those that were written. */
function firstDifference(before: readonly ChainedEntry[], after: readonly ChainedEntry[]): number | undefined {
  const texts = (rows: readonly ChainedEntry[]) =>
    new Map(
      rows.map((row) => [
        row.entry.seq,
        JSON.stringify([row.entry, row.prevHash.toString('hex'), row.hash.toString('hex')]),
      ]),
    );
  const [one, other] = [texts(before), texts(after)];
  return [...new Set([...one.keys(), ...other.keys()])]
    .sort((first, second) => first - second)
    .find((seq) => one.get(seq) !== other.get(seq));
}

describe('Feature: version-rollback, Property 12: the chain', () => {
  it('is whole as it was written', () => {
    for (const length of [0, 1, 2, 12]) expect(verify(written(length), headOf(written(length)))).toBeUndefined();
  });

  it('names the first place that any edits have touched, and is whole when they cancel out', () => {
    const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), edits, (length, made) => {
        const before = written(length);
        const after = made.reduce<readonly ChainedEntry[]>((rows, change) => change(rows), before);
        expect(verify(after, headOf(before))?.seq).toBe(firstDifference(before, after));
      }),
      { numRuns: 2_000 },
    );
  });

  it('names an entry that was changed although its hash was made to fit, and tells a forged head', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(11), (length, index) => {
        const before = written(length);
        const seq = (index % length) + 1;
        const after = before.map((row) => {
          if (row.entry.seq !== seq) return row;
          const entry = { ...row.entry, reason: 'forged' };
          return { ...row, entry, hash: hashOf(row.prevHash, entry) };
        });
        const reason = seq === length ? 'head-mismatch' : 'changed';
        expect(verify(after, headOf(before))).toEqual({ seq, reason });
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not notice a chain that was cut together with its head: that takes a head kept elsewhere', () => {
    const before = written(5);
    const cut = before.slice(0, 3);
    expect(verify(cut, headOf(cut))).toBeUndefined();
    expect(verify(cut, headOf(before))).toEqual({ seq: 4, reason: 'deleted' });
  });
});
