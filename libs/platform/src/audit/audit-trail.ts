import { Inject, Injectable } from '@nestjs/common';
import pg from 'pg';
import { isoInstant } from '../database/instant.js';
import { statement } from '../database/statement.js';
import { inTransaction } from '../database/transaction.js';
import { CONTROL } from '../runtime.js';
import { hashOf, newAuditEntry, type AuditEntry, type ChainedEntry, type NewAuditEntry } from './audit-entry.js';
import { breakAtEnd, explain, follow, hashesAround, START, type Break, type Link } from './chain.js';

export interface AuditRange {
  /** The first entry to verify; it is taken for granted that the ones before are whole. */
  readonly from?: number;
  readonly to?: number;
}

export interface Verification {
  /** Undefined when every entry is what was written. */
  readonly broken: Break | undefined;
  /** How many entries were looked at before that. */
  readonly entries: number;
  /** The newest entry: kept elsewhere, it tells a chain that was cut or written anew. Undefined when the head is lost. */
  readonly head: { readonly seq: number; readonly hash: string } | undefined;
}

/** Some entries in order, and where the chain ended when the first was read. */
export interface AuditBatch {
  readonly entries: readonly ChainedEntry[];
  readonly head: Link | undefined;
}

interface Row extends Omit<AuditEntry, 'seq'> {
  readonly seq: string;
  readonly prev_hash: Buffer;
  readonly hash: Buffer;
}

const BATCH = 5_000;
const columns = `
  seq, ${isoInstant('at')} AS at, actor, action, subject, environment, reason,
  plan_id AS "planId", run_id AS "runId", before_digest AS "beforeDigest", after_digest AS "afterDigest", outcome,
  prev_hash, hash`;

// The time is told once the lock is had, so it grows with the numbers.
const lockHead = statement<{ seq: string; hash: Buffer; at: string }>(
  'audit.lock_head',
  `WITH head AS MATERIALIZED (SELECT seq, hash FROM control.audit_head FOR UPDATE)
   SELECT seq, hash, ${isoInstant('clock_timestamp()')} AS at FROM head`,
);
const insert = statement(
  'audit.append',
  `WITH entry AS (
     INSERT INTO control.audit_entry
       (seq, at, actor, action, subject, environment, reason, plan_id, run_id, before_digest, after_digest, outcome,
        prev_hash, hash)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
     RETURNING seq, hash)
   UPDATE control.audit_head SET seq = entry.seq, hash = entry.hash FROM entry`,
);
const readHead = statement<{ seq: string; hash: Buffer }>('audit.head', `SELECT seq, hash FROM control.audit_head`);
// A cursor is planned once, for the order of the numbers.
const openEntries = `
  DECLARE entries NO SCROLL CURSOR FOR
  SELECT ${columns} FROM control.audit_entry WHERE seq BETWEEN $1 AND $2 ORDER BY seq`;
const readLink = statement<Pick<Row, 'seq' | 'hash'>>(
  'audit.link',
  `SELECT seq, hash FROM control.audit_entry WHERE seq = $1`,
);
const readAround = statement<Row>(
  'audit.around',
  `SELECT ${columns} FROM control.audit_entry WHERE hash = ANY($1) OR prev_hash = ANY($1)`,
);

/** The chain of everything that was done to the application, in the control database: it only ever grows. */
@Injectable()
export class AuditTrail {
  constructor(@Inject(CONTROL) private readonly control: pg.Pool) {}

  /**
   * Adds an entry at the end. With a client of the control database that is in a transaction the entry commits or
   * vanishes with it, and nobody else appends before it ends; without one it is there when the promise is kept.
   */
  async append(entry: NewAuditEntry, client?: pg.ClientBase): Promise<Link> {
    const facts = newAuditEntry.parse(entry);
    return client ? this.write(client, facts) : inTransaction(this.control, (own) => this.write(own, facts));
  }

  /** Walks the chain as it is at the beginning of the call, in batches. */
  async verify(range: AuditRange = {}): Promise<Verification> {
    return inTransaction(
      this.control,
      (client) => this.walk(client, range),
      'ISOLATION LEVEL REPEATABLE READ READ ONLY',
    );
  }

  /** The entries as they stand there at the beginning of the call, in batches; at least one, which may be empty. */
  async *entries({ from, to }: AuditRange = {}): AsyncGenerator<AuditBatch> {
    const client = await this.control.connect();
    let ended = false;
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const [headRow] = await readHead(client, []);
      const head = headRow && linkOf(headRow);
      await client.query(openEntries, [from ?? Number.MIN_SAFE_INTEGER, to ?? Number.MAX_SAFE_INTEGER]);
      let length: number;
      do {
        const { rows } = await client.query<Row>(`FETCH ${BATCH} FROM entries`);
        length = rows.length;
        yield { entries: rows.map(chainedEntry), head };
      } while (length === BATCH);
      await client.query('COMMIT');
      ended = true;
    } finally {
      // Whoever stopped in the middle leaves an open cursor behind.
      client.release(!ended);
    }
  }

  private async write(client: pg.ClientBase, facts: ReturnType<typeof newAuditEntry.parse>): Promise<Link> {
    const [head] = await lockHead(client, []);
    if (!head) throw new Error('The audit trail has lost its head');
    const entry = { ...facts, seq: Number(head.seq) + 1, at: head.at };
    const hash = hashOf(head.hash, entry);
    const { seq, at, actor, action, subject, environment, reason, planId, runId } = entry;
    const { beforeDigest, afterDigest, outcome } = entry;
    const told = [actor, action, subject, environment, reason, planId, runId, beforeDigest, afterDigest, outcome];
    await insert(client, [seq, at, ...told, head.hash, hash]);
    return { seq, hash };
  }

  private async walk(client: pg.ClientBase, { from = 1, to }: AuditRange): Promise<Verification> {
    const [headRow] = await readHead(client, []);
    const head = headRow && linkOf(headRow);
    const start = from <= 1 ? START : await this.linkAt(client, from - 1);
    const told = (broken: Break | undefined, last: Link = start ?? START): Verification => ({
      broken,
      entries: last.seq - (start ?? START).seq,
      head: head && { seq: head.seq, hash: head.hash.toString('hex') },
    });
    if (!start) return told(from - 1 <= (head?.seq ?? 0) ? { seq: from - 1, reason: 'deleted' } : undefined);

    // An entry may have been smuggled in before the first.
    const first = from <= 1 ? Number.MIN_SAFE_INTEGER : from;
    await client.query(openEntries, [first, to ?? Number.MAX_SAFE_INTEGER]);
    let last = start;
    for (;;) {
      const { rows } = await client.query<Row>(`FETCH ${BATCH} FROM entries`);
      const result = follow(last, rows.map(chainedEntry));
      if ('last' in result) {
        const around = await readAround(client, [hashesAround(result)]);
        return told(explain(result, around.map(chainedEntry), head), result.last);
      }
      last = result;
      if (rows.length < BATCH) return told(breakAtEnd(last, head, to), last);
    }
  }

  private async linkAt(client: pg.ClientBase, seq: number): Promise<Link | undefined> {
    const [row] = await readLink(client, [seq]);
    return row && linkOf(row);
  }
}

function chainedEntry({ prev_hash, hash, seq, ...facts }: Row): ChainedEntry {
  return { entry: { ...facts, seq: Number(seq) }, prevHash: prev_hash, hash };
}

function linkOf({ seq, hash }: Pick<Row, 'seq' | 'hash'>): Link {
  return { seq: Number(seq), hash };
}
