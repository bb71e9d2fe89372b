import { describe, expect, it } from '@jest/globals';
import { BadConfig, readConfig } from './config.js';

const usable = {
  DATABASE_URL: 'postgres://belay@localhost/belay',
  CONTROL_DATABASE_URL: 'postgres://belay@localhost/belay_control',
  SECRET_KEY: Buffer.alloc(32).toString('base64'),
};

describe('the configuration', () => {
  it('needs two databases and a secret, and has a default for all else', () => {
    expect(readConfig(usable)).toMatchObject({ PORT: 3000, HOST: '127.0.0.1', CORS_ORIGINS: [], LOG_LEVEL: 'info' });
  });

  it('names every bad variable at once', () => {
    const half = { OIDC_AUDIENCE: 'belay' };
    const read = () => readConfig({ ...usable, ...half, PORT: '70000', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://db' });
    expect(read).toThrow(BadConfig);
    expect(read).toThrow(/PORT/);
    expect(read).toThrow(/OIDC_ISSUER and OIDC_AUDIENCE go together/);
    expect(read).toThrow(/LOG_LEVEL/);
    expect(read).toThrow(/DATABASE_URL/);
  });

  it('takes an empty variable as absent', () => {
    expect(readConfig({ ...usable, REDIS_URL: '' }).REDIS_URL).toBeUndefined();
  });

  it.each([
    ['WMS_STORAGE_CALCULATION_DAY', '1', '7', '0', '8'],
    ['WMS_BILLING_CYCLE_START', '1', '28', '0', '29'],
    ['WMS_DEFAULT_TIMEZONE', 'Europe/London', 'UTC', 'Europe/Lundun', 'Mars'],
  ] as const)('takes %s=%s and %s, and neither %s nor %s', (name, one, other, ...bad) => {
    for (const good of [one, other]) expect(String(readConfig({ ...usable, [name]: good })[name])).toBe(good);
    for (const value of bad) expect(() => readConfig({ ...usable, [name]: value })).toThrow(new RegExp(name));
  });

  it.each([
    ['-1', false],
    ['0', true],
    ['65535', true],
    ['65536', false],
    ['web', false],
  ])('takes PORT=%s: %s', (PORT, taken) => {
    const read = () => readConfig({ ...usable, PORT });
    if (taken) expect(read().PORT).toBe(Number(PORT));
    else expect(read).toThrow(/PORT/);
  });

  it.each([{ UNLEASH_URL: 'http://localhost:4242/api' }, { UNLEASH_TOKEN: 'token' }])(
    'refuses half of a pair: %o',
    (half) => {
      expect(() => readConfig({ ...usable, ...half })).toThrow(/UNLEASH_URL and UNLEASH_TOKEN go together/);
    },
  );

  it('reads lists and maps', () => {
    const config = readConfig({
      ...usable,
      CORS_ORIGINS: 'https://a.example, https://b.example',
      OIDC_ROLE_MAP: '{"ops":"manager"}',
    });
    expect(config.CORS_ORIGINS).toEqual(['https://a.example', 'https://b.example']);
    expect(config.OIDC_ROLE_MAP).toEqual({ ops: 'manager' });
  });
});
