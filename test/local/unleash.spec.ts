import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { flagsCommand } from '../../apps/cli/src/flags.command.js';
import { eventually } from '../support/eventually.js';
import { startUnleash, type TestUnleash } from '../support/unleash.js';

describe('a real Unleash server', () => {
  let unleash: TestUnleash;
  beforeAll(async () => {
    unleash = await startUnleash();
  }, 60_000);
  afterAll(() => unleash.stop());

  it('has a flag created once, off, and switched', async () => {
    expect(await unleash.admin.create('enable_a')).toBe(true);
    expect(await unleash.admin.create('enable_a')).toBe(false);
    expect(await read('enable_a')).toMatchObject({ enabled: false, strategies: [{ name: 'flexibleRollout' }] });

    await unleash.admin.set('enable_a', true);
    await unleash.admin.setMode('enable_a', 'read_only');
    // The server looks for changes once a second.
    const wanted = { enabled: true, strategies: [{ variants: [{ name: 'read_only' }] }] };
    await eventually(async () => {
      expect(await read('enable_a')).toMatchObject(wanted);
    }, 3_000);
  });

  it('takes a context field twice', async () => {
    await unleash.admin.addContextField('role', 'Role');
    await unleash.admin.addContextField('role', 'Role');
  });

  it('gets every flag of the release by a command, when it runs elsewhere', async () => {
    await flagsCommand().parseAsync(['create', '--url', unleash.url, '--token', unleash.adminToken], { from: 'user' });
    await eventually(async () => {
      expect(await read('emergency_rollback')).toMatchObject({ enabled: false });
    }, 3_000);
    await unleash.admin.set('emergency_rollback', true);
    await flagsCommand().parseAsync(['create', '--url', unleash.url, '--token', unleash.adminToken], { from: 'user' });
    await eventually(async () => {
      expect(await read('emergency_rollback')).toMatchObject({ enabled: true });
    }, 3_000);
  });

  async function read(flag: string): Promise<unknown> {
    const answer = await fetch(`${unleash.apiUrl}/client/features?namePrefix=${flag}`, {
      headers: { authorization: unleash.token },
    });
    const { features } = z
      .object({ features: z.array(z.looseObject({ name: z.string() })) })
      .parse(await answer.json());
    return features.find(({ name }) => name === flag);
  }
});
