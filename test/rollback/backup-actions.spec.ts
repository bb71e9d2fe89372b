import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { backupCreate, backupIdOf } from '../../libs/rollback/src/backups/backup.create.action.js';
import { backupVerify } from '../../libs/rollback/src/backups/backup.verify.action.js';
import { ActionRoom } from './action-room.js';
import { createDepot, depot, depotLedgers } from './depot.js';

const input = { domains: ['depot'] };

describe('the steps of a backup', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belay-backup-'));
  let room: ActionRoom;
  beforeAll(async () => {
    room = await ActionRoom.open({ domains: [depot], ledgers: depotLedgers, env: { BACKUP_DIR: folder } });
    await createDepot(room.world.targets);
  });
  afterAll(async () => {
    await room.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('make one backup, however often they are tried, and know it again after a crash', async () => {
    const step = await room.step(backupCreate, input);
    expect(await step.inspect()).toMatchObject({ state: 'absent' });
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    const first = await step.execute();
    expect(first).toMatchObject({ backupId: backupIdOf(step.context), state: 'created', level: 0 });
    step.forget();
    expect(await step.reconcile()).toEqual({ effect: 'done', result: first });
    expect(await step.execute()).toEqual(first);
    expect(readdirSync(folder)).toEqual([backupIdOf(step.context)]);
    expect(await step.verify()).toMatchObject({ outcome: 'pass', facts: { level: 1 } });
  });

  it('bring the backup of their own run to the level, and no other', async () => {
    const create = await room.step(backupCreate, input);
    const { runId } = create.context;
    const verify = await room.step(backupVerify, { level: 4 }, { runId });
    expect(await verify.verify()).toMatchObject({ outcome: 'inconclusive' });
    await expect(verify.execute()).rejects.toThrow('no backup');
    await create.execute();
    expect(await verify.verify()).toMatchObject({ outcome: 'fail' });
    expect(await verify.execute()).toMatchObject({ state: 'proven', level: 4, backupId: backupIdOf(create.context) });
    expect(await verify.verify()).toMatchObject({ outcome: 'pass' });
    expect(await verify.reconcile()).toMatchObject({ effect: 'done' });
  });

  it('do not pass what is broken', async () => {
    const create = await room.step(backupCreate, { scope: 'control' });
    await create.execute();
    rmSync(join(folder, backupIdOf(create.context), 'build.json'));
    expect(await create.verify()).toMatchObject({ outcome: 'fail', facts: { findings: [{ subject: 'build.json' }] } });
    const verify = await room.step(backupVerify, { level: 1 }, { runId: create.context.runId });
    await verify.execute();
    expect(await verify.verify()).toMatchObject({ outcome: 'fail' });
  });
});
