import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUIDv7 } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { actions } from '../../libs/rollback/src/actions/registry.js';
import { writtenBackup } from '../../libs/rollback/src/backups/backup-record.service.js';
import { insertBackup } from '../../libs/rollback/src/backups/backup.queries.js';
import { createDepot, depot, depotLedgers } from './depot.js';
import { RunRoom } from './run-room.js';
import { shelfActions, shelfSql } from './shelf.js';

const content = `SELECT (SELECT jsonb_agg(to_jsonb(i) ORDER BY id) FROM depot.item i) AS items`;

describe('a run in the middle of which the database is exchanged', () => {
  let room: RunRoom;
  let folder: string;
  let backupId: string;
  let good: unknown;
  let bad: unknown;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'belay-spanning-'));
    const env = { BACKUP_DIR: folder };
    room = await RunRoom.open([...actions, ...shelfActions], {
      domains: [depot],
      ledgers: depotLedgers,
      sql: shelfSql,
      env,
    });
    await createDepot(room.databases);
    await room.rows(
      `INSERT INTO depot.item (id, name, qty) SELECT n, 'item ' || n, n FROM generate_series(1, 20) AS n`,
    );
    await room.rows(`INSERT INTO depot.batch (item_id) VALUES (1)`);
    good = await room.rows(content);
    const world = await room.world();
    backupId = randomUUIDv7();
    const scope = { kind: 'application' } as const;
    const record = {
      id: backupId,
      scope,
      location: join(folder, backupId),
      runId: null,
      requestedBy: 'maria',
      wanted: null,
    };
    await insertBackup(world.control, record);
    await writtenBackup(world, { id: backupId, scope });
    await room.control(`UPDATE control.backup SET level = 4, state = 'proven'`);
    await room.rows(`UPDATE depot.item SET qty = 0 WHERE id < 10; DELETE FROM depot.item WHERE id > 15`);
    bad = await room.rows(content);
  }, 120_000);
  afterEach(async () => {
    await room.stopHosts();
    const live = new URL(room.databases.databaseUrl).pathname.slice(1);
    const kept = await room.control<{ name: string }>(
      `SELECT datname AS name FROM pg_database WHERE datname ~ ('^' || $1 || '_(failed|undone)_')`,
      [live],
    );
    for (const { name } of kept) await room.control(`DROP DATABASE ${name} WITH (FORCE)`);
    await room.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('goes on in the new one, and does nothing twice', async () => {
    const rows = { path: 'R3', domain: 'depot', backupId, tables: ['depot.item'] };
    const runId = await room.request([
      { action: 'flag.off', input: { flag: 'enable_depot' } },
      { action: 'rows.restore', input: rows, domain: 'depot', destructive: true },
      { action: 'database.restore', input: { backupId }, destructive: true },
      { action: 'rows.restore', input: rows, domain: 'depot', destructive: true },
    ]);
    await room.host();
    await room.becomes(runId, 'monitoring', 150_000);
    expect(await room.rows(content)).toEqual(good);
    expect(await room.states(runId)).toEqual(['verified', 'verified', 'verified', 'verified']);
    expect(
      await room.rows(`SELECT count(*)::integer AS steps FROM platform.step_marker WHERE run_id = $1`, [runId]),
    ).toEqual([{ steps: 3 }]);
    expect((await room.events(runId)).map(({ seq }, place) => Number(seq) - place)).toEqual(
      (await room.events(runId)).map(() => 1),
    );
  }, 180_000);

  it('goes back to the old one when a later step fails', async () => {
    const runId = await room.request([
      { action: 'database.restore', input: { backupId }, destructive: true },
      // Refused, because somebody has a batch open.
      { action: 'migration.down', input: { domain: 'depot' }, domain: 'depot', destructive: true },
    ]);
    await room.host();
    await room.becomes(runId, 'compensated', 150_000);
    expect(await room.rows(content)).toEqual(bad);
    expect(await room.control(`SELECT off FROM control.flag_override WHERE flag = 'platform_writes'`)).toEqual([
      { off: false },
    ]);
  }, 180_000);
});
