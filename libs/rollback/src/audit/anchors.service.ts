import { AuditTrail, GENESIS, hashOf, inTransaction, type ChainedEntry } from '@belay/platform';
import { Injectable } from '@nestjs/common';
import canonicalize from 'canonicalize';
import type pg from 'pg';
import { z } from 'zod';
import { World } from '../engine/world.js';
import { AnchorFile } from './anchor-file.js';
import { ANCHOR_VERSION, type Anchor } from './anchor.contract.js';
import {
  anchorAfter,
  anchorsIn,
  hashesBetween,
  insertAnchor,
  lossEntries,
  newestAnchor,
  waitingEntries,
  type WaitingEntry,
} from './anchor.queries.js';
import type { AnchorFinding, AnchorsVerified, EntryProof } from './audit.contract.js';
import { EntryNotAnchored, EntryNotFound } from './audit.problems.js';
import { lossesOf } from './loss.rules.js';
import { merklePath, merkleRoot, rootBy } from './merkle.rules.js';

/** How long an anchor may be on its way from the table to the file. */
const WRITTEN_WITHIN_MS = 60_000;

/** Says from time to time, signed and outside the database too, what the audit trail is. */
@Injectable()
export class Anchors {
  readonly #file: AnchorFile;
  /** Hash of the newest anchor that is known to be there. */
  #inFile = '';

  constructor(
    private readonly world: World,
    private readonly trail: AuditTrail,
  ) {
    this.#file = new AnchorFile(world.runtime.config.AUDIT_ANCHOR_FILE);
  }

  /**
   * Anchors what has waited for long enough, or all that waits; answers the anchors that were made. Nothing is anchored
   * that does not follow what is anchored already. One process at a time does it; the others have nothing to do.
   */
  async make(all = false): Promise<readonly Anchor[]> {
    const made: Anchor[] = [];
    for (;;) {
      const anchor = await inTransaction(this.world.control, (client) => this.next(client, all));
      if (!anchor) break;
      made.push(anchor);
      const { seq, hash, merkleRoot: root } = anchor;
      this.world.runtime.log.info({ seq, hash, merkleRoot: root }, 'audit trail anchored');
    }
    await this.writeFile();
    return made;
  }

  /** Every anchor against its signature, the entries and the file; what a restore has cost is told, and no finding. */
  async verify(): Promise<AnchorsVerified> {
    const { control } = this.world;
    const { present, anchors: lines } = await this.#file.read();
    const losses = lossesOf(await lossEntries(control), lines, (anchor) => this.isSigned(anchor));
    const standing = lines.map((anchor, place) => ({ anchor, replaced: losses.excuses(place) }));
    const bySeq = new Map<number, (typeof standing)[number][]>();
    for (const line of standing) bySeq.set(line.anchor.seq, [...(bySeq.get(line.anchor.seq) ?? []), line]);
    const met = new Set<Anchor>();
    const findings: AnchorFinding[] = [];
    let count = 0;
    let last = 0;
    for await (const anchor of anchorsIn(control)) {
      const there = bySeq.get(anchor.seq) ?? [];
      const line = there.find((one) => one.anchor.hash === anchor.hash) ?? there.findLast(({ replaced }) => !replaced);
      const problem = (await this.defectOf(anchor)) ?? defectInFile(anchor, present, line?.anchor);
      if (problem !== undefined) findings.push({ seq: anchor.seq, problem });
      if (line) met.add(line.anchor);
      count += 1;
      last = anchor.seq;
    }
    for (const { anchor, replaced } of standing)
      if (!replaced && !met.has(anchor)) findings.push(...(await this.strayIn(anchor, last)));
    return { count, last, file: { present, anchors: lines.length }, findings, told: [...losses.told] };
  }

  /** One entry with what proves it: its own words, at most ten hashes, and a signed root. The rest is not needed. */
  async proofOf(seq: number): Promise<EntryProof> {
    let chained: ChainedEntry | undefined;
    for await (const { entries } of this.trail.entries({ from: seq, to: seq })) chained ??= entries[0];
    if (!chained) throw new EntryNotFound(seq);
    const anchor = await anchorAfter(this.world.control, seq);
    if (!anchor) throw new EntryNotAnchored(seq);
    const hashes = await hashesBetween(this.world.control, anchor.from, anchor.seq);
    const path = merklePath(hashes, seq - anchor.from);
    const { entry, prevHash, hash } = chained;
    const holds =
      hashOf(prevHash, entry).equals(hash) &&
      rootBy(hash, path).toString('hex') === anchor.merkleRoot &&
      this.isSigned(anchor);
    return {
      seq,
      entry: z.json().parse(entry),
      prevHash: prevHash.toString('hex'),
      hash: hash.toString('hex'),
      path: path.map((step) => ({ side: step.side, hash: step.hash.toString('hex') })),
      anchor,
      holds,
    };
  }

  isSigned({ signature, ...told }: Anchor): boolean {
    return this.world.signer.signed(bytesOf(told), signature);
  }

  private async next(client: pg.ClientBase, all: boolean): Promise<Anchor | undefined> {
    const { rows } = await client.query<{ mine: boolean }>(
      `SELECT pg_try_advisory_xact_lock(hashtextextended('belay.audit-anchor', 0)) AS mine`,
    );
    if (rows[0]?.mine !== true) return undefined;
    const last = await newestAnchor(client);
    const { entries, due, at } = await waitingEntries(client, last?.seq ?? 0);
    const [first] = entries;
    const end = entries.at(-1);
    if (!first || !end || !(due || all)) return undefined;
    if (!follows(last, entries)) {
      this.world.runtime.log.error({ after: last?.seq ?? 0 }, 'audit trail not anchored: it does not hold together');
      return undefined;
    }
    const root = merkleRoot(entries.map(({ hash }) => hash)).toString('hex');
    const told = { from: first.seq, seq: end.seq, at, hash: end.hash.toString('hex'), merkleRoot: root };
    const unsigned = { schemaVersion: ANCHOR_VERSION, ...told } as const;
    const anchor = { ...unsigned, signature: this.world.signer.sign(bytesOf(unsigned)) };
    await insertAnchor(client, anchor);
    return anchor;
  }

  /** Whatever of the table is not in the file yet, also what another process has anchored. */
  private async writeFile(): Promise<void> {
    const newest = await newestAnchor(this.world.control);
    if (!newest || newest.hash === this.#inFile) return;
    await inTransaction(this.world.control, async (client) => {
      await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('belay.audit-anchor-file', 0))`);
      const there = new Set((await this.#file.read()).anchors.map(({ seq, hash }) => `${seq} ${hash}`));
      const missing: Anchor[] = [];
      for await (const anchor of anchorsIn(client)) {
        if (!there.has(`${anchor.seq} ${anchor.hash}`)) missing.push(anchor);
      }
      await this.#file.append(missing);
      this.#inFile = newest.hash;
    });
  }

  private async defectOf(anchor: Anchor): Promise<string | undefined> {
    if (!this.isSigned(anchor)) return 'its signature does not fit';
    const hashes = await hashesBetween(this.world.control, anchor.from, anchor.seq);
    if (hashes.length !== anchor.seq - anchor.from + 1) return 'entries that it speaks for are gone, or too many';
    if (hashes.at(-1)?.toString('hex') !== anchor.hash) return 'the entry that it ends with is another one';
    return merkleRoot(hashes).toString('hex') === anchor.merkleRoot ? undefined : 'entries that it speaks for differ';
  }

  /** An anchor that only the file has: harmless as long as the entries are what it says. */
  private async strayIn(anchor: Anchor, last: number): Promise<AnchorFinding[]> {
    if (!this.isSigned(anchor)) return [{ seq: anchor.seq, problem: 'the file has a line that nobody signed' }];
    const problem = await this.defectOf(anchor);
    if (problem === undefined && anchor.seq <= last) return [];
    return [
      { seq: anchor.seq, problem: `the file has an anchor that the table lacks${problem ? `; ${problem}` : ''}` },
    ];
  }
}

function bytesOf(told: Omit<Anchor, 'signature'>): Buffer {
  return Buffer.from(canonicalize(told) ?? '');
}

function follows(last: Anchor | undefined, entries: readonly WaitingEntry[]): boolean {
  let before: Pick<WaitingEntry, 'seq' | 'hash'> = { seq: 0, hash: GENESIS };
  if (last) before = { seq: last.seq, hash: Buffer.from(last.hash, 'hex') };
  return entries.every(({ seq, prevHash, hash }) => {
    const fits = seq === before.seq + 1 && prevHash.equals(before.hash);
    before = { seq, hash };
    return fits;
  });
}

function defectInFile(anchor: Anchor, present: boolean, line: Anchor | undefined): string | undefined {
  if (line && canonicalize(line) !== canonicalize(anchor)) return 'the file has another anchor in its place';
  const old = Date.now() - Date.parse(anchor.at) > WRITTEN_WITHIN_MS;
  if (line || !old) return undefined;
  return present ? 'the file does not have it' : 'there is no anchor file';
}
