import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUIDv7 } from 'node:crypto';
import { migrateUp } from '@belay/platform';
import { backupCreate } from '../../libs/rollback/src/backups/backup.create.action.js';
import { ledgers } from '../../migrations/index.js';
import { z } from 'zod';
import { ActionRoom } from './action-room.js';
import { board, yard, yardLedger, yardRows } from './yard.js';

const all = [...ledgers, yardLedger];
const tables = ['bay', 'truck', 'visit', 'journal', 'mv_load'] as const;

/** A yard with rows, watched by a board, that can be marked, backed up, damaged and restored. */
export class YardRoom {
  private constructor(
    readonly room: ActionRoom,
    readonly folder: string,
  ) {}

  /** For a program of its own on the same databases. */
  get env(): Record<string, string> {
    const { databaseUrl, controlUrl } = this.room.databases;
    return {
      NODE_ENV: 'test',
      LOG_LEVEL: 'silent',
      SECRET_KEY: this.room.config.SECRET_KEY,
      DATABASE_URL: databaseUrl,
      CONTROL_DATABASE_URL: controlUrl,
      FLAGS_FILE: this.room.flags.path,
      BACKUP_DIR: this.folder,
    };
  }

  async writesAllowed(): Promise<boolean> {
    return (
      (await this.room.control(`SELECT FROM control.flag_override WHERE flag = 'platform_writes' AND off`)).length === 0
    );
  }

  /** Copies that restores have put aside, so that the next has room. */
  async dropKept(): Promise<void> {
    const schemas = await this.room.rows<{ name: string }>(
      `SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^yard__(failed|undone)_'`,
    );
    for (const { name } of schemas) await this.room.rows(`DROP SCHEMA ${name} CASCADE`);
    const live = new URL(this.room.databases.databaseUrl).pathname.slice(1);
    const databases = await this.room.control<{ name: string }>(
      `SELECT datname AS name FROM pg_database WHERE datname ~ ('^' || $1 || '_(failed|undone)_')`,
      [live],
    );
    for (const { name } of databases) await this.room.control(`DROP DATABASE ${name} WITH (FORCE)`);
  }

  static async open(
    rows: { readonly bays?: number; readonly trucks?: number; readonly on?: readonly string[] } = {},
  ): Promise<YardRoom> {
    const folder = mkdtempSync(join(tmpdir(), 'belay-yard-'));
    const { on = [] } = rows;
    const room = await ActionRoom.open({ domains: [yard], on, ledgers: all, env: { BACKUP_DIR: folder } });
    const { databaseUrl, controlUrl } = room.databases;
    await migrateUp({ databaseUrl, controlUrl }, all, 'yard');
    await room.rows(yardRows(rows.bays, rows.trucks));
    await room.rows(board);
    return new YardRoom(room, folder);
  }

  async close(): Promise<void> {
    await this.room.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Rows and hash of every table, and what people see through the views of others. */
  async content(schema = 'yard'): Promise<Record<string, unknown>> {
    const content: Record<string, unknown> = {};
    for (const table of tables) {
      content[table] = await this.room.rows(
        `SELECT count(*)::integer AS rows, sum(hashtextextended(t::text, 0))::text AS hash FROM ${schema}.${table} t`,
      );
    }
    return content;
  }

  seen(): Promise<Record<string, unknown>[]> {
    return this.room.rows(
      `SELECT count(*)::integer AS trucks, md5(string_agg(plate, ',' ORDER BY plate)) AS plates FROM board.plate`,
    );
  }

  /** Everything else in the database: what a restore of the yard must not touch. */
  elsewhere(): Promise<Record<string, unknown>[]> {
    return this.room.rows(
      `SELECT c.oid::regclass::text AS relation, c.relkind, c.reloptions, c.relacl::text
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname !~ '^(yard|pg_|information_schema|restore_)' AND c.relkind <> 'i' ORDER BY 1`,
    );
  }

  async mark(): Promise<string> {
    const id = randomUUIDv7();
    const [now] = await this.room.rows<{ snapshot: string; at: Date }>(
      `SELECT pg_current_snapshot()::text AS snapshot, clock_timestamp() AS at`,
    );
    await this.room.control(
      `INSERT INTO control.marker (id, name, snapshot, at, ledger) VALUES ($1, 'before', $2::pg_snapshot, $3, '[]')`,
      [id, now?.snapshot, now?.at],
    );
    return id;
  }

  /** Said to be proven; that it is shows a suite of its own. */
  async backUp(scope: 'yard' | 'application' = 'yard'): Promise<string> {
    const create = await this.room.step(backupCreate, scope === 'yard' ? { domains: ['yard'] } : { scope });
    const { backupId } = z.object({ backupId: z.string() }).parse(await create.execute());
    await this.room.control(`UPDATE control.backup SET level = 4, state = 'proven' WHERE id = $1`, [backupId]);
    return backupId;
  }
}

/** What a careless hand does to tables, past every rule of the application. */
export const damage = `
  UPDATE yard.truck SET tonnes = 0, plate = plate || '!' WHERE id <= 10;
  DELETE FROM yard.visit WHERE truck_id > 30;
  DELETE FROM yard.truck WHERE id > 30;
  UPDATE yard.bay SET code = 'LOST' WHERE code = 'BAY-2';
  INSERT INTO yard.bay (id, code) VALUES ('11111111-0000-7000-8000-000000000000', 'BAY-2');
  UPDATE yard.truck SET bay_id = '11111111-0000-7000-8000-000000000000' WHERE id = 5;
  INSERT INTO yard.truck (bay_id, plate, tonnes) VALUES ('11111111-0000-7000-8000-000000000000', 'PL 31', 9);`;

/** The same, where not even the log of changes hears of it; a table is empty afterwards. */
export const silentDamage = `
  BEGIN;
  SET LOCAL session_replication_role = replica;
  UPDATE yard.truck SET tonnes = -1 WHERE id % 7 = 0;
  DELETE FROM yard.visit;
  DELETE FROM yard.journal WHERE no % 3 = 0;
  UPDATE yard.journal SET said = 'nothing' WHERE no % 5 = 0;
  COMMIT;`;
