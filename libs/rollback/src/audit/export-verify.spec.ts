import { describe, expect, it } from '@jest/globals';
import { GENESIS, hashOf, type AuditBatch, type ChainedEntry } from '@belay/platform';
import fc from 'fast-check';
import { Signer } from '../engine/signer.js';
import { exportFormats, type ExportFormat } from './audit.contract.js';
import { verifyExport } from './export-verify.js';
import { writeExport } from './export-write.js';

const keysOf = (byte: number) => ({
  SECRET_KEY: Buffer.alloc(32, byte).toString('base64'),
  BELAY_SIGNING_KEY: undefined,
  TRUSTED_SIGNING_KEYS: [],
});
const signer = new Signer(keysOf(1));
const texts = [
  '',
  ' ',
  'plain',
  '=1+1',
  "'=1",
  "''",
  '-->',
  '<b>"&',
  'a,b',
  'a\r\nb',
  'a\nb',
  '|=\\',
  '€𐍈',
  '@x',
  '\t',
  'seal',
];

function written(length: number): ChainedEntry[] {
  const chain: ChainedEntry[] = [];
  let prevHash = GENESIS;
  for (let seq = 1; seq <= length; seq++) {
    const text = texts[seq % texts.length] ?? '';
    const entry = {
      seq,
      at: new Date(1_700_000_000_000 + seq).toISOString(),
      actor: { id: `who-${text}`, role: text, session: null, ip: seq % 2 ? '10.0.0.7' : '::1' },
      action: 'flag.off',
      subject: text,
      environment: 'test',
      reason: seq % 3 === 0 ? null : text,
      planId: null,
      runId: null,
      beforeDigest: null,
      afterDigest: text,
      outcome: seq % 5 === 0 ? 'denied: permission-missing' : 'done',
    };
    const hash = hashOf(prevHash, entry);
    chain.push({ entry, prevHash, hash });
    prevHash = hash;
  }
  return chain;
}

async function* batchesOf(chain: readonly ChainedEntry[], from = 1): AsyncGenerator<AuditBatch> {
  const last = chain.at(-1);
  const head = last && { seq: last.entry.seq, hash: last.hash };
  const some = chain.slice(from - 1);
  const half = Math.ceil(some.length / 2);
  yield await Promise.resolve({ entries: some.slice(0, half), head });
  yield { entries: some.slice(half), head };
}

async function exported(format: ExportFormat, chain: readonly ChainedEntry[], from?: number): Promise<Buffer> {
  const title = {
    environment: 'test',
    from: from ?? null,
    to: null,
    exportedAt: '2026-01-01T00:00:00.000Z',
    exportedBy: 'x',
  };
  let text = '';
  for await (const piece of writeExport(format, title, batchesOf(chain, from), signer)) text += piece;
  return Buffer.from(text);
}

/** As a disk gives it: in pieces that end anywhere. */
async function* pieces(bytes: Buffer, size = 777): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) {
    yield await Promise.resolve(bytes.subarray(start, start + size));
  }
}

const verified = (bytes: Buffer, by = signer) => verifyExport(pieces(bytes), by);

type Edit = (bytes: Buffer) => Buffer;
const linesOf = (bytes: Buffer) => bytes.toString('latin1').split(/(?<=\n)/);
const joined = (lines: readonly string[]) => Buffer.from(lines.join(''), 'latin1');

const edits: fc.Arbitrary<Edit> = fc
  .record({ one: fc.nat(1_000_000), other: fc.nat(1_000_000), bit: fc.nat(7) })
  .chain(({ one, other, bit }) => {
    const onLines = (change: (lines: string[], first: number, second: number) => string[]): Edit => {
      return (bytes) => {
        const lines = linesOf(bytes);
        return joined(change(lines, one % lines.length, other % lines.length));
      };
    };
    return fc.constantFrom<Edit>(
      (bytes) => {
        const changed = Buffer.from(bytes);
        const place = one % bytes.length;
        changed[place] = (changed[place] ?? 0) ^ (1 << bit);
        return changed;
      },
      (bytes) => bytes.subarray(0, one % bytes.length),
      (bytes) => Buffer.concat([bytes, bytes.subarray(one % bytes.length)]),
      onLines((lines, first) => lines.filter((_, index) => index !== first)),
      onLines((lines, first, second) => lines.toSpliced(second, 0, lines[first] ?? '')),
      onLines((lines, first, second) => lines.with(first, lines[second] ?? '').with(second, lines[first] ?? '')),
    );
  });

describe('Feature: version-rollback, Property 12: an exported trail', () => {
  it.each(exportFormats)('in %s is what was written, whole, from the middle and empty', async (format) => {
    for (const length of [0, 1, 40]) {
      const found = await verified(await exported(format, written(length)));
      expect(found).toMatchObject({ ok: true, format, entries: length, chained: format !== 'html', problems: [] });
    }
    const middle = await verified(await exported(format, written(40), 11));
    expect(middle).toMatchObject({ ok: true, entries: 30, seal: { from: 11, head: { seq: 40 } } });
  });

  it.each(exportFormats)('in %s shows every change, removal, reordering and insertion', async (format) => {
    const whole = await exported(format, written(20));
    await fc.assert(
      fc.asyncProperty(edits, async (edit) => {
        const edited = edit(whole);
        expect((await verified(edited)).ok).toBe(edited.equals(whole));
      }),
      { numRuns: 300 },
    );
  });

  it('is not ours when another key has signed it', async () => {
    const bytes = await exported('jsonl', written(3));
    const stranger = new Signer(keysOf(2));
    expect(await verified(bytes, stranger)).toMatchObject({
      ok: false,
      problems: ['the seal was not signed by this installation'],
    });
    const trusting = new Signer({ ...keysOf(2), TRUSTED_SIGNING_KEYS: [signer.publicKey] });
    expect((await verified(bytes, trusting)).ok).toBe(true);
  });

  it('names the entry that does not follow, also under a seal that fits', async () => {
    const chain = written(9);
    const gap = chain.filter(({ entry }) => entry.seq !== 4);
    for (const format of exportFormats.filter((one) => one !== 'html')) {
      expect((await verified(await exported(format, gap))).problems).toContain(
        'entry 5 does not follow the one before',
      );
    }
  });

  it('is nothing when it is something else', async () => {
    for (const text of ['', '\n', 'hello', '{"export":1}', '{"export":1}\n{"seal":1}\n']) {
      expect((await verified(Buffer.from(text))).ok).toBe(false);
    }
  });
});
