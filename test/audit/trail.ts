import { AuditTrail, GENESIS, hashOf, type NewAuditEntry } from '@belay/platform';
import type pg from 'pg';
import { createDatabases } from '../support/databases.js';
import { quietPool } from '../support/pool.js';

export interface Trail {
  readonly trail: AuditTrail;
  /** On the control database, as superuser. */
  readonly control: pg.Pool;
  readonly controlUrl: string;
  /** Changes the table as somebody with all rights and bad intentions would. */
  tamper(sql: string, values?: unknown[]): Promise<void>;
  close(): Promise<void>;
}

export async function openTrail(connections = 4): Promise<Trail> {
  const databases = await createDatabases();
  const control = quietPool(databases.controlUrl, connections);
  return {
    trail: new AuditTrail(control),
    control,
    controlUrl: databases.controlUrl,
    tamper: async (sql, values) => {
      const client = await control.connect();
      try {
        await client.query('SET session_replication_role = replica');
        await client.query(sql, values);
      } finally {
        client.release(true);
      }
    },
    close: async () => {
      await control.end();
      await databases.drop();
    },
  };
}

export const act = (subject: string, more: Partial<NewAuditEntry> = {}): NewAuditEntry => ({
  actor: { id: 'maria', role: 'ops_operator', session: null, ip: '10.0.0.7' },
  action: 'flag.off',
  subject,
  environment: 'test',
  outcome: 'done',
  ...more,
});

/** As long a chain as it takes to measure, without waiting for as many commits. */
export async function fillTrail(control: pg.Pool, entries: number): Promise<void> {
  let prevHash = GENESIS;
  for (let first = 1; first <= entries; first += 10_000) {
    const rows = Array.from({ length: 10_000 }, (_, index) => {
      const entry = {
        seq: first + index,
        at: new Date(1_700_000_000_000 + (first + index) * 1_000).toISOString(),
        actor: { id: 'maria', role: 'ops_operator', session: null, ip: '10.0.0.7' },
        action: 'run.step-verified',
        subject: `enable_sop_module/${first + index}`,
        environment: 'production',
        reason: 'The new release answers too slowly since noon',
        planId: 'a'.repeat(64),
        runId: '0193a7c0-0000-7000-8000-000000000001',
        beforeDigest: 'b'.repeat(64),
        afterDigest: 'c'.repeat(64),
        outcome: 'done',
      };
      const hash = hashOf(prevHash, entry);
      const row = { ...entry, prev: prevHash.toString('hex'), hash: hash.toString('hex') };
      prevHash = hash;
      return row;
    });
    await control.query(
      `INSERT INTO control.audit_entry
       SELECT seq, at, actor, action, subject, environment, reason, "planId", "runId", "beforeDigest", "afterDigest", outcome,
              decode(prev, 'hex'), decode(hash, 'hex')
       FROM jsonb_to_recordset($1) AS row (seq bigint, at timestamptz, actor jsonb, action text, subject text, environment text,
         reason text, "planId" text, "runId" uuid, "beforeDigest" text, "afterDigest" text, outcome text, prev text, hash text)`,
      [JSON.stringify(rows)],
    );
  }
  await control.query(`UPDATE control.audit_head SET seq = $1, hash = $2`, [entries, prevHash]);
}
