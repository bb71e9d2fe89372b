import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { registeredFlags } from '@belay/platform';
import { domains } from '@belay/domains';
import { EmbeddedPostgres } from '../../apps/cli/src/local/embedded-postgres.js';
import { LocalState } from '../../apps/cli/src/local/local-state.js';
import { findFreePort } from '../../apps/cli/src/local/port.js';
import { UnleashAdmin } from '../../apps/cli/src/local/unleash-admin.js';
import { eventually } from '../support/eventually.js';
import { BelayCommand } from './belay-command.js';

const featureList = z.object({
  features: z.array(
    z.object({ name: z.string(), environments: z.array(z.object({ name: z.string(), enabled: z.boolean() })) }),
  ),
});
const readiness = z.object({ checks: z.array(z.object({ name: z.string(), detail: z.string() })) });

describe('npm run unleash', () => {
  const folder = mkdtempSync(join(tmpdir(), 'belay-unleash-'));
  const commands: BelayCommand[] = [];
  let port = '';
  beforeAll(async () => {
    port = String(await findFreePort());
  });
  afterAll(async () => {
    for (const command of commands) {
      command.signal('SIGINT');
      await command.code();
    }
    await EmbeddedPostgres.stopUnused(join(folder, '.belay', 'postgres'));
    rmSync(folder, { recursive: true, force: true });
  });

  it('has every flag of the release, and gives them to a Belay that runs', async () => {
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    const belay = command('start');
    const api = await belay.printed(/API +(\S+)\/api/);
    expect(await flagSource(api)).toBe('file');

    const unleash = command('unleash', { UNLEASH_PORT: port });
    const url = await unleash.printed(/Open +(\S+)/);
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(unleash.output).toContain('licence Apache-2.0');
    const [, password = ''] = /admin \/ (\S+)/.exec(unleash.output) ?? [];
    expect(await signsIn(url, password)).toBe(true);
    expect(await signsIn(url, 'guess')).toBe(false);
    const emergency = { flag: 'emergency_rollback', defaultOn: false };
    const wanted = new Map<string, boolean>();
    for (const { flag, defaultOn } of [...registeredFlags(domains), emergency]) wanted.set(flag, defaultOn);
    expect(await flagsOf(url)).toEqual(wanted);
    await new UnleashAdmin(url, state().unleashSecrets().adminToken).set('emergency_rollback', true);

    await belay.printed(/Unleash is up at http/);
    await eventually(async () => {
      expect(await flagSource(await belay.printed(/Unleash is up[\s\S]*API +(\S+)\/api/))).toBe('unleash');
    }, 20_000);
    const second = command('unleash');
    expect(await second.code()).toBe(1);
    expect(second.output).toContain('Unleash already runs for this folder');
  }, 120_000);

  it('leaves PostgreSQL to Belay when it ends, and flags as they were set', async () => {
    const [belay, unleash] = commands;
    unleash?.signal('SIGINT');
    expect(await unleash?.code()).toBe(0);
    expect(state().unleash).toBeUndefined();
    expect(await flagSource(/Unleash is up[\s\S]*API +(\S+)\/api/.exec(belay?.output ?? '')?.[1] ?? '')).toBe(
      'unleash',
    );

    const again = command('unleash', { UNLEASH_PORT: port });
    await again.printed(/ 0 flags created/);
    const flags = await flagsOf(await again.printed(/Open +(\S+)/));
    expect(flags.get('emergency_rollback')).toBe(true);
  }, 60_000);

  it('says that its port is taken', async () => {
    const other = mkdtempSync(join(folder, 'other-'));
    const command = new BelayCommand(other, ['unleash'], { UNLEASH_PORT: port });
    expect(await command.code()).toBe(1);
    expect(command.output).toContain(`✗ Port ${port} is taken: choose another, e.g. UNLEASH_PORT=`);
  });

  function state(): LocalState {
    return new LocalState(join(folder, '.belay'));
  }

  async function flagsOf(url: string): Promise<Map<string, boolean>> {
    const headers = { authorization: state().unleashSecrets().adminToken };
    const answer = await fetch(`${url}/api/admin/projects/default/features`, { headers });
    const { features } = featureList.parse(await answer.json());
    const isOn = (one: { name: string; enabled: boolean }) => one.name === 'development' && one.enabled;
    return new Map(features.map(({ name, environments }) => [name, environments.some(isOn)]));
  }

  function command(name: string, env: Record<string, string> = {}): BelayCommand {
    const one = new BelayCommand(folder, [name], env);
    commands.push(one);
    return one;
  }
});

async function flagSource(api: string): Promise<unknown> {
  const answer = await fetch(`${api}/health/ready`);
  const { checks } = readiness.parse(await answer.json());
  return /from (\w+)/.exec(checks.find(({ name }) => name === 'flags')?.detail ?? '')?.[1];
}

async function signsIn(url: string, password: string): Promise<boolean> {
  const body = JSON.stringify({ username: 'admin', password });
  const headers = { 'content-type': 'application/json' };
  return (await fetch(`${url}/auth/simple/login`, { method: 'POST', headers, body })).ok;
}
