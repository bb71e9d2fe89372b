import { AuditTrail, type NewAuditEntry } from '@belay/platform';
import pg from 'pg';
import { createDatabases } from '../support/databases.js';

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
  const control = new pg.Pool({ connectionString: databases.controlUrl, max: connections });
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
