import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
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
import { ActionRoom } from './action-room.js';

describe('a drill of a runbook', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belay-drill-'));
  let room: ActionRoom;
  let world: World;
  let drills: RunbookDrills;
  let runbooks: Runbooks;
  beforeAll(async () => {
    room = await ActionRoom.open({ domains, ledgers, env: { BACKUP_DIR: folder } });
    world = new World(room.runtime, ledgers, apiStages(room.runtime));
    const trail = new AuditTrail(world.control);
    runbooks = new Runbooks(world, new Actions(actions), trail);
    drills = new RunbookDrills(world, runbooks, trail);
  });
  afterAll(async () => {
    await world.close();
    await room.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const counts = () =>
    room.control(
      `SELECT (SELECT count(*) FROM control.plan) AS plans, (SELECT count(*) FROM control.run) AS runs,
              (SELECT count(*) FROM control.parked_object) AS parked, (SELECT count(*) FROM control.flag_override) AS off`,
    );

  it('goes all the way and back on copies, and nobody sees anything of it but the result', async () => {
    const before = await counts();
    const result = await drills.drill('wms-off');
    expect(result).toMatchObject({ runbook: 'wms-off', ok: true, findings: [] });
    expect(result.ms).toBeLessThan(result.budgetS * 1_000);
    expect(await counts()).toEqual(before);
    const { drill } = await runbooks.get('wms-off');
    expect(drill).toMatchObject({ ok: true });
    expect(readdirSync(folder).filter((name) => name.startsWith('drill-'))).toEqual([]);
    const left = await room.rows(`SELECT FROM pg_database WHERE shobj_description(oid, 'pg_database') = $1`, [
      `side database of ${new URL(world.targets.controlUrl).pathname.slice(1)}`,
    ]);
    expect(left).toHaveLength(0);
  }, 60_000);

  it('finds out that a runbook needs what it is not given', async () => {
    const result = await drills.drill('wms-s1');
    expect(result.ok).toBe(false);
    expect(result.findings).not.toEqual([]);
    expect((await runbooks.get('wms-s1')).drill).toMatchObject({ ok: false });
  }, 60_000);
});
