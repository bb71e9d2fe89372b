import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { domains } from '@belay/domains';
import { migrateUp } from '@belay/platform';
import { apiStages } from '../../apps/api/src/stages.js';
import { ledgers } from '../../migrations/index.js';
import type { BackupLevel, BackupScope } from '../../libs/rollback/src/backups/backup.contract.js';
import { proveBackup } from '../../libs/rollback/src/backups/backup-proof.service.js';
import { writtenBackup } from '../../libs/rollback/src/backups/backup-record.service.js';
import { insertBackup } from '../../libs/rollback/src/backups/backup.queries.js';
import { World } from '../../libs/rollback/src/engine/world.js';
import { ActionRoom } from './action-room.js';
import { yard, yardLedger, yardRows } from './yard.js';

const folder = mkdtempSync(join(tmpdir(), 'belay-backup-'));
let room: ActionRoom;
let world: World;

beforeAll(async () => {
  room = await ActionRoom.open({
    domains: [...domains, yard],
    ledgers: [...ledgers, yardLedger],
    env: { BACKUP_DIR: folder },
  });
  world = new World(room.runtime, room.world.ledgers, apiStages(room.runtime));
  await migrateUp(room.world.targets, room.world.ledgers, 'yard');
  await room.rows(yardRows());
});
afterAll(async () => {
  await world.close();
  await room.close();
  rmSync(folder, { recursive: true, force: true });
});

async function backup(scope: BackupScope, level: BackupLevel = 0) {
  const id = randomUUIDv7();
  await insertBackup(world.control, {
    id,
    scope,
    location: join(folder, id),
    runId: null,
    requestedBy: 'maria',
    wanted: null,
  });
  await writtenBackup(world, { id, scope });
  return proveBackup(world, id, level);
}

it.each([
  { kind: 'domains', domains: ['yard'] } as const,
  { kind: 'domains', domains: ['wms'] } as const,
  { kind: 'application' } as const,
  { kind: 'control' } as const,
])('brings $kind to level 4', async (scope) => {
  const record = await backup(scope.kind === 'domains' ? { ...scope, domains: [...scope.domains] } : scope, 4);
  expect(record.findings).toEqual([]);
  expect(record).toMatchObject({ state: 'proven', level: 4 });
});
