import { join } from 'node:path';
import { randomUUIDv7 } from 'node:crypto';
import { migrateUp } from '@belay/platform';
import { writtenBackup } from '../../libs/rollback/src/backups/backup-record.service.js';
import { insertBackup } from '../../libs/rollback/src/backups/backup.queries.js';
import type { CrashCase } from './crash-cases.js';
import { depotLedgers } from './depot.js';
import type { RunRoom } from './run-room.js';

const kept = new WeakMap<RunRoom, string>();

/** Rows that are the same before every cell, a backup of them, and then the damage. */
async function damage(room: RunRoom): Promise<void> {
  const { databaseUrl, controlUrl } = room.databases;
  await migrateUp({ databaseUrl, controlUrl }, depotLedgers, 'depot');
  await room.rows(`
    DO $$
    DECLARE left_over text;
    BEGIN
      FOR left_over IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^(depot__(failed|undone)|restore)_' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', left_over);
      END LOOP;
    END $$;
    DELETE FROM depot.batch; DELETE FROM depot.item;
    INSERT INTO depot.item (id, name, qty) SELECT n, 'item ' || n, n FROM generate_series(1, 20) AS n`);
  if (!kept.has(room)) kept.set(room, await backUp(room));
  await room.rows(`UPDATE depot.item SET qty = 0 WHERE id < 10; DELETE FROM depot.item WHERE id > 15`);
}

async function backUp(room: RunRoom): Promise<string> {
  const world = await room.world();
  const id = randomUUIDv7();
  const scope = { kind: 'domains' as const, domains: ['depot'] };
  const location = join(room.env['BACKUP_DIR'] ?? '', id);
  await insertBackup(world.control, { id, scope, location, runId: null, requestedBy: 'maria', wanted: null });
  await writtenBackup(world, { id, scope });
  await room.control(`UPDATE control.backup SET level = 4, state = 'proven' WHERE id = $1`, [id]);
  return id;
}

const content = async (room: RunRoom) => ({
  rows: await room.rows(
    `SELECT count(*)::integer AS rows, sum(hashtextextended(i::text, 0))::text AS hash FROM depot.item i`,
  ),
  ledger: await room.rows(`SELECT name, state FROM public.depot_migrations ORDER BY name`),
});

/** Copies that are kept, whatever their tags are: also taking back keeps one. */
const copies = (room: RunRoom) =>
  room.rows(
    `SELECT regexp_replace(nspname, '_[0-9a-f]{8}(_[0-9a-f]{4})?$', '') AS name FROM pg_namespace
     WHERE nspname ~ '^(depot|restore)' ORDER BY 1`,
  );

const restore = (action: string, more: Readonly<Record<string, string | readonly string[]>> = {}): CrashCase => ({
  action,
  step: { domain: 'depot', destructive: true },
  prepare: damage,
  input: (room) => Promise.resolve({ domain: 'depot', backupId: kept.get(room) ?? '', ...more }),
  state: content,
  effects: copies,
});

/** Restores from a backup; that of the whole database is tried by itself. */
export const restoreCases: readonly CrashCase[] = [
  restore('domain.restore'),
  restore('rows.restore', { path: 'R3', tables: ['depot.item'] }),
];
