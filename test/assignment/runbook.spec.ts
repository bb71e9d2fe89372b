import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { domains } from '@belay/domains';
import { AuditTrail } from '@belay/platform';
import { apiStages } from '../../apps/api/src/stages.js';
import { actions } from '../../libs/rollback/src/actions/registry.js';
import { RunbookDrills } from '../../libs/rollback/src/backups/runbook-drill.service.js';
import { Actions } from '../../libs/rollback/src/engine/actions.js';
import { World } from '../../libs/rollback/src/engine/world.js';
import { Runbooks } from '../../libs/rollback/src/plans/runbooks.service.js';
import { ledgers } from '../../migrations/index.js';
import { ActionRoom } from '../rollback/action-room.js';

describe('the runbook of phase 7', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belay-assignment-drill-'));
  let room: ActionRoom;
  let world: World;
  let drills: RunbookDrills;
  beforeAll(async () => {
    room = await ActionRoom.open({ domains, ledgers, env: { BACKUP_DIR: folder } });
    world = new World(room.runtime, ledgers, apiStages(room.runtime));
    const trail = new AuditTrail(world.control);
    drills = new RunbookDrills(world, new Runbooks(world, new Actions(actions), trail), trail);
  });
  afterAll(async () => {
    await world.close();
    await room.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('goes all the way and back on copies, faster than it has to: what is parked comes back with every row', async () => {
    const result = await drills.drill('assignment-phase-7');
    expect(result).toMatchObject({ ok: true, findings: [], budgetS: 900 });
    expect(result.ms).toBeLessThan(60_000);
  }, 120_000);
});
