import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { z } from 'zod';
import { actorIn, carried, carry, wordsOf, type ExportFormatter } from '../export-format.js';

const columns = [
  'seq',
  'at',
  'actor_id',
  'actor',
  'action',
  'subject',
  'environment',
  'reason',
  'plan_id',
  'run_id',
  'before_digest',
  'after_digest',
  'outcome',
  'prev_hash',
  'hash',
  'seal',
] as const;
type Row = Readonly<Record<(typeof columns)[number], string | null>>;

const nothing: Row = {
  seq: null,
  at: null,
  actor_id: null,
  actor: null,
  action: null,
  subject: null,
  environment: null,
  reason: null,
  plan_id: null,
  run_id: null,
  before_digest: null,
  after_digest: null,
  outcome: null,
  prev_hash: null,
  hash: null,
  seal: null,
};
const row = z.record(z.enum(columns), z.string().nullable());

/**
 * RFC 4180: CRLF, quotes doubled. What is null is empty, an empty text is a pair of quotes. A spreadsheet would take a
 * text that begins with = + - @ for a formula: it gets an apostrophe in front, which is taken away again when it is read.
 */
export const csv: ExportFormatter = {
  mediaType: 'text/csv; charset=utf-8',
  extension: 'csv',
  begin: () => `${columns.join(',')}\r\n`,
  entry(chained) {
    const { entry, prevHash, hash } = carry(chained);
    return line({
      ...nothing,
      seq: String(entry.seq),
      at: entry.at,
      actor_id: actorIn(entry).id,
      actor: JSON.stringify(entry.actor),
      action: textOf(entry.action),
      subject: textOf(entry.subject),
      environment: textOf(entry.environment),
      reason: textOf(entry.reason),
      plan_id: textOf(entry.planId),
      run_id: textOf(entry.runId),
      before_digest: textOf(entry.beforeDigest),
      after_digest: textOf(entry.afterDigest),
      outcome: textOf(entry.outcome),
      prev_hash: prevHash,
      hash,
    });
  },
  end: (seal) => line({ ...nothing, seal: JSON.stringify(seal) }),
  sealIn(text) {
    const quoted = /^,{15}"(.*)"\r?$/.exec(text)?.[1];
    const seal: unknown = JSON.parse(z.string().parse(quoted).replaceAll('""', '"'));
    return seal;
  },
  async *read(lines) {
    const parser = parse({
      columns: true,
      cast: (value, { quoting }) => (quoting ? value.replace(/^'(?=['=+\-@\t\r])/, '') : value === '' ? null : value),
    });
    const records: AsyncIterable<unknown> = Readable.from(ended(lines)).pipe(parser);
    for await (const record of records) {
      const told = row.parse(record);
      const actor: unknown = JSON.parse(told.actor ?? 'null');
      yield carried.parse({
        entry: {
          seq: Number(told.seq),
          at: told.at,
          actor,
          action: told.action,
          subject: told.subject,
          environment: told.environment,
          reason: told.reason,
          planId: told.plan_id,
          runId: told.run_id,
          beforeDigest: told.before_digest,
          afterDigest: told.after_digest,
          outcome: told.outcome,
        },
        prevHash: told.prev_hash,
        hash: told.hash,
      });
    }
  },
};

async function* ended(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const text of lines) yield `${text}\n`;
}

function textOf(value: unknown): string | null {
  return value == null ? null : wordsOf(value);
}

function line(told: Row): string {
  return `${columns.map((column) => field(told[column])).join(',')}\r\n`;
}

function field(value: string | null): string {
  if (value === null) return '';
  const harmless = /^['=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return `"${harmless.replaceAll('"', '""')}"`;
}
