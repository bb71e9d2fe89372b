import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unleashSync } from '../../libs/rollback/src/actions/unleash.sync.action.js';
import { UnleashEnvironment } from '../../libs/rollback/src/actions/unleash-environment.service.js';
import { workshop } from '../jobs/workshop.js';
import { startUnleash, type TestUnleash } from '../support/unleash.js';
import { ActionRoom } from './action-room.js';

const flag = 'enable_workshop';
const input = { off: [flag, 'workshop_painting'] };

describe('setting Unleash to what was done by hand', () => {
  let unleash: TestUnleash;
  let room: ActionRoom;
  const folder = mkdtempSync(join(tmpdir(), 'belay-test-unleash-'));
  beforeAll(async () => {
    unleash = await startUnleash();
    await unleash.admin.create(flag);
    await unleash.admin.set(flag, true);
    room = await ActionRoom.open({
      domains: [workshop],
      env: {
        UNLEASH_URL: unleash.apiUrl,
        UNLEASH_TOKEN: unleash.token,
        UNLEASH_ADMIN_TOKEN: unleash.adminToken,
        FLAGS_BACKUP_DIR: folder,
      },
    });
  }, 120_000);
  afterAll(async () => {
    await room.close();
    await unleash.stop();
    rmSync(folder, { recursive: true });
  });

  const isOn = async () =>
    (await UnleashEnvironment.of(room.config)?.states([flag], new AbortController().signal))?.[flag];

  it('is done once, and taken back to what it was', async () => {
    const step = await room.step(unleashSync, input);
    expect(await step.inspect()).toEqual({ flags: { [flag]: true }, configured: true });
    expect(await unleashSync.preview(step.context, input)).toMatchObject({ changes: [`Unleash: ${flag} off`] });
    expect(await step.reconcile()).toEqual({ effect: 'not-done' });
    expect(await step.verify()).toMatchObject({ outcome: 'fail' });
    expect(await step.execute()).toEqual({ changed: [flag], skipped: false });
    expect(await step.execute()).toEqual({ changed: [], skipped: false });
    expect(await isOn()).toBe(false);
    step.forget();
    expect(await step.reconcile()).toMatchObject({ effect: 'done' });
    expect(await step.verify()).toMatchObject({ outcome: 'pass' });
    for (let n = 0; n < 2; n += 1) await step.compensate();
    expect(await isOn()).toBe(true);
  });

  it('is left alone by a run that nobody has told how', async () => {
    const plain = await ActionRoom.open({ domains: [workshop] });
    const step = await plain.step(unleashSync, input);
    await step.inspect();
    expect(await step.execute()).toEqual({ skipped: true });
    expect(await step.verify()).toMatchObject({ outcome: 'pass', facts: { skipped: true } });
    await plain.close();
  });

  it('fails, and says how, when Unleash is away', async () => {
    const step = await room.step(unleashSync, input);
    await step.inspect();
    await unleash.kill();
    await expect(step.execute()).rejects.toThrow('fetch failed');
    await unleash.revive();
  }, 120_000);
});
