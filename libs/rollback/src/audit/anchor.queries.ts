import { isoInstant } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import { ANCHOR_VERSION, anchorView, MOST_ENTRIES, type Anchor } from './anchor.contract.js';
import type { LossEntry } from './loss.rules.js';

type Control = Pick<pg.ClientBase, 'query'>;

/** An entry that waits longer is anchored with those that wait beside it. */
const LONGEST_WAIT = '5 minutes';

const columns = `
  json_build_object(
    'schemaVersion', ${ANCHOR_VERSION}, 'from', coalesce(before.seq, 0) + 1, 'seq', anchor.seq,
    'at', ${isoInstant('anchor.at')}, 'hash', encode(anchor.hash, 'hex'),
    'merkleRoot', encode(anchor.merkle_root, 'hex'),
    'signature', json_build_object('algorithm', 'Ed25519', 'publicKey', anchor.key_id,
      'value', translate(encode(anchor.signature, 'base64'), E'\\n', ''))) AS anchor`;
const from = `
  FROM control.audit_anchor anchor LEFT JOIN LATERAL (
    SELECT seq FROM control.audit_anchor earlier WHERE earlier.seq < anchor.seq ORDER BY seq DESC LIMIT 1) AS before ON true`;

const row = z.object({ anchor: anchorView });
const BATCH = 1_000;

export async function newestAnchor(on: Control): Promise<Anchor | undefined> {
  return read(on, `ORDER BY anchor.seq DESC LIMIT 1`, []);
}

/** The anchor that speaks for the entry; undefined while there is none. */
export async function anchorAfter(on: Control, seq: number): Promise<Anchor | undefined> {
  return read(on, `WHERE anchor.seq >= $1 ORDER BY anchor.seq LIMIT 1`, [seq]);
}

/** All of them, in order. */
export async function* anchorsIn(on: Control): AsyncGenerator<Anchor> {
  for (let last = 0; ;) {
    const { rows } = await on.query(
      `SELECT ${columns} ${from} WHERE anchor.seq > $1 ORDER BY anchor.seq LIMIT ${BATCH}`,
      [last],
    );
    const anchors = z
      .array(row)
      .parse(rows)
      .map(({ anchor }) => anchor);
    yield* anchors;
    last = anchors.at(-1)?.seq ?? last;
    if (anchors.length < BATCH) return;
  }
}

export async function insertAnchor(
  client: pg.ClientBase,
  { seq, at, hash, merkleRoot, signature }: Anchor,
): Promise<void> {
  await client.query(
    `INSERT INTO control.audit_anchor (seq, at, hash, merkle_root, signature, key_id) VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      seq,
      at,
      Buffer.from(hash, 'hex'),
      Buffer.from(merkleRoot, 'hex'),
      Buffer.from(signature.value, 'base64'),
      signature.publicKey,
    ],
  );
  await client.query(`SELECT pg_notify('control_audit_anchor', $1)`, [`${seq} ${merkleRoot}`]);
}

export interface WaitingEntry {
  readonly seq: number;
  readonly prevHash: Buffer;
  readonly hash: Buffer;
}

/** The next entries behind an anchor, as many as one speaks for, and whether they have waited for long enough. */
export async function waitingEntries(
  client: pg.ClientBase,
  after: number,
): Promise<{ readonly entries: readonly WaitingEntry[]; readonly due: boolean; readonly at: string }> {
  const { rows } = await client.query<{ seq: string; prevHash: Buffer; hash: Buffer; old: boolean }>(
    `SELECT seq, prev_hash AS "prevHash", hash, at < clock_timestamp() - interval '${LONGEST_WAIT}' AS old
     FROM control.audit_entry WHERE seq > $1 ORDER BY seq LIMIT ${MOST_ENTRIES}`,
    [after],
  );
  const { rows: clock } = await client.query<{ at: string }>(`SELECT ${isoInstant('clock_timestamp()')} AS at`);
  const due = rows.length === MOST_ENTRIES || rows[0]?.old === true;
  return { entries: rows.map((one) => ({ ...one, seq: Number(one.seq) })), due, at: clock[0]?.at ?? '' };
}

/** Of the entries from one to another, in order. */
export async function hashesBetween(on: Control, first: number, last: number): Promise<readonly Buffer[]> {
  const { rows } = await on.query<{ hash: Buffer }>(
    `SELECT hash FROM control.audit_entry WHERE seq BETWEEN $1 AND $2 ORDER BY seq`,
    [first, last],
  );
  return rows.map(({ hash }) => hash);
}

/** By which restores of the control database say what the trail has lost, in order. */
export async function lossEntries(on: Control): Promise<readonly LossEntry[]> {
  const { rows } = await on.query<LossEntry>(
    `SELECT seq::float8 AS seq, substr(action, length('audit.') + 1) AS kind, coalesce(before_digest, '') AS "anchorHash"
     FROM control.audit_entry WHERE action IN ('audit.gap', 'audit.fork') ORDER BY seq`,
  );
  return rows;
}

async function read(on: Control, end: string, values: readonly unknown[]): Promise<Anchor | undefined> {
  const { rows } = await on.query(`SELECT ${columns} ${from} ${end}`, [...values]);
  return z.array(row).parse(rows)[0]?.anchor;
}
