import { createHash, randomUUIDv7 } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { inTransaction, type AuditTrail, type NewAuditEntry } from '@belay/platform';
import type pg from 'pg';
import { z } from 'zod';
import { missing, syncFolder } from '../audit/anchor-file.js';

const text = z.string().nullable().default(null);
const line = z.strictObject({
  id: z.uuid(),
  at: z.iso.datetime(),
  host: z.string(),
  actor: z.strictObject({ id: z.string(), role: text, session: text, ip: text }),
  action: z.string(),
  subject: z.string(),
  environment: z.string(),
  reason: text,
  outcome: z.string(),
});

/** What is to be remembered while there is no audit trail to write it into. */
export type JournalEntry = Pick<NewAuditEntry, 'actor' | 'action' | 'subject' | 'environment' | 'reason' | 'outcome'>;

/** A file on this machine for what is done while the control database is away; merged into the audit trail when it is back. */
export class LocalJournal {
  #merged = '';

  constructor(private readonly path: string) {}

  /** On the disk when the promise is kept. */
  async write(entry: JournalEntry): Promise<void> {
    const told = line.parse({ ...entry, id: randomUUIDv7(), at: new Date().toISOString(), host: hostname() });
    await mkdir(dirname(this.path), { recursive: true });
    await using file = await open(this.path, 'a+');
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    const begin = size > 0 && buffer.toString() !== '\n' ? '\n' : '';
    await file.appendFile(`${begin}${JSON.stringify(told)}\n`);
    await file.sync();
    await syncFolder(dirname(this.path));
  }

  /**
   * Appends what the trail does not have yet, in order, each entry once however often and by whomever it is tried. A line
   * that cannot be read is told as it is. The file stays: it is the original. Answers how many entries were new.
   */
  async merge(trail: AuditTrail, control: pg.Pool): Promise<number> {
    const content = await this.read();
    if (content === this.#merged) return 0;
    const lines = content.split('\n').filter((part) => part !== '');
    const digests = lines.map(digestOf);
    const merged = await inTransaction(control, async (client) => {
      await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('belay.emergency-journal', 0))`);
      const { rows } = await client.query<{ digest: string }>(
        `SELECT after_digest AS digest FROM control.audit_entry
         WHERE after_digest = ANY ($1) AND starts_with(action, 'journal.')`,
        [digests],
      );
      const known = new Set(rows.map(({ digest }) => digest));
      const fresh = lines.filter((_, index) => !known.has(digests[index] ?? ''));
      for (const one of fresh) await append(trail, client, one);
      return fresh.length;
    });
    this.#merged = content;
    return merged;
  }

  private async read(): Promise<string> {
    return (await readFile(this.path, 'utf8').catch(missing)) ?? '';
  }
}

async function append(trail: AuditTrail, client: pg.ClientBase, written: string): Promise<void> {
  const known = line.safeParse(jsonIn(written)).data;
  const { id, at, host, ...entry } = known ?? unreadable(written);
  const subject = `${entry.subject} (${id}, ${at} on ${host})`;
  const afterDigest = digestOf(written);
  await trail.append({ ...entry, action: `journal.${entry.action}`, subject, afterDigest }, client);
}

function digestOf(written: string): string {
  return createHash('sha256').update(written).digest('hex');
}

function jsonIn(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return undefined;
  }
}

function unreadable(written: string): z.infer<typeof line> {
  const actor = { id: 'unknown', role: null, session: null, ip: null };
  const words = { action: 'unreadable', subject: 'a line of the journal', environment: 'unknown', outcome: 'unknown' };
  return { id: '-', at: '-', host: hostname(), actor, ...words, reason: written.slice(0, 2_000) };
}
