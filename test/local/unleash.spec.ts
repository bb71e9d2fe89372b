import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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

  async function read(flag: string): Promise<unknown> {
    const answer = await fetch(`${unleash.apiUrl}/client/features?namePrefix=${flag}`, {
      headers: { authorization: unleash.token },
    });
    const { features }: { features: { name: string }[] } = await answer.json();
    return features.find(({ name }) => name === flag);
  }
});
