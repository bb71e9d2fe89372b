import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { domains } from '@belay/domains';
import { Routes } from '@belay/platform';
import { z } from 'zod';
import { describeApi } from '../apps/api/src/compose.js';
import { TestApi } from './support/test-api.js';

const media = z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) }));
const operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  tags: z.tuple([z.string()]),
  'x-permission': z.string(),
  security: z.array(z.unknown()).optional(),
  parameters: z.array(z.object({ name: z.string(), in: z.string(), schema: z.record(z.string(), z.unknown()) })),
  requestBody: z.object({ content: media }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string().min(1), content: media.optional() })),
});
const openApi = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
  tags: z.array(z.object({ name: z.string() })),
});

/** Every schema in it, with the place where it is. */
function schemasIn(value: unknown, place = ''): [string, Record<string, unknown>][] {
  const found = z.record(z.string(), z.unknown()).safeParse(value);
  if (!found.success) return Array.isArray(value) ? value.flatMap((one, n) => schemasIn(one, `${place}/${n}`)) : [];
  const { properties, items, anyOf, oneOf, allOf, additionalProperties } = found.data;
  const inner = [properties, anyOf, oneOf, allOf].flatMap((group) => Object.entries(group ?? {}));
  const nested = [...inner, ['items', items] as const, ['additionalProperties', additionalProperties] as const];
  return [
    [place, found.data],
    ...nested.flatMap(([key, one]) => (one === undefined ? [] : schemasIn(one, `${place}/${key}`))),
  ];
}

describe('openapi.json', () => {
  let api: TestApi;
  let served: unknown;
  let document: z.infer<typeof openApi>;
  let operations: { path: string; method: string; operation: z.infer<typeof operation> }[];

  beforeAll(async () => {
    api = await TestApi.with(...domains);
    served = await api.get('/docs-json');
    document = openApi.parse(served);
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, one]) => ({ path, method, operation: one })),
    );
  });
  afterAll(() => api.close());

  it('is what the application with every domain serves', async () => {
    const committed: unknown = JSON.parse(await readFile(new URL('../openapi.json', import.meta.url), 'utf8'));
    // `npm run openapi` writes it anew.
    expect(committed).toEqual(served);
  });

  it('is the same text each time, and needs no application to be started', async () => {
    const text = JSON.stringify(await describeApi(domains));
    expect(text).toBe(JSON.stringify(await describeApi(domains)));
    expect(text).toBe(JSON.stringify(served));
  });

  it('has every route of the application, and no other', () => {
    const routes = api.app.get(Routes).all.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    const documented = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(documented.sort()).toEqual(routes.sort());
  });

  it('names every operation once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids.filter((id, n) => ids.indexOf(id) !== n)).toEqual([]);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9]+$/);
  });

  it('says who may ask, and asks for a token everywhere else than on public routes', () => {
    for (const { path, operation } of operations) {
      expect([path, operation.security !== undefined]).toEqual([path, operation['x-permission'] !== 'public']);
      expect(document.tags).toContainEqual(expect.objectContaining({ name: operation.tags[0] }));
    }
  });

  it('has a schema for every answer, and problems for what goes wrong', () => {
    for (const { path, method, operation } of operations) {
      for (const [status, { content = {} }] of Object.entries(operation.responses)) {
        const where = `${method} ${path} ${status}`;
        if (status === '204') expect([where, content]).toEqual([where, {}]);
        else if (status.startsWith('2')) expect([where, Object.keys(content).length]).toEqual([where, 1]);
        else
          expect([where, content['application/problem+json']?.schema]).toEqual([
            where,
            { $ref: '#/components/schemas/Problem' },
          ]);
      }
      expect(Object.keys(operation.responses).filter((status) => status.startsWith('2'))).toHaveLength(1);
    }
  });

  it('documents every part of a path, and the headers that a route takes', () => {
    for (const route of api.app.get(Routes).all) {
      const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
      const { parameters } = operations.find((one) => one.path === path && one.method === route.method.toLowerCase())
        ?.operation ?? { parameters: [] };
      const named = (place: string) => parameters.filter((one) => one.in === place).map(({ name }) => name);
      expect(named('path')).toEqual([...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name));
      const takesKey =
        route.method === 'POST' && route.access.kind !== 'public' && route.endpoint.idempotency !== 'none';
      expect([path, named('header').includes('Idempotency-Key')]).toEqual([path, takesKey]);
    }
  });

  it('leaves nothing open: no schema without a type, and no request that takes unknown fields', () => {
    const bodies = operations.flatMap(({ path, operation }) =>
      operation.requestBody ? schemasIn(operation.requestBody.content['application/json']?.schema, path) : [],
    );
    const named = Object.entries(document.components.schemas).flatMap(([name, schema]) => schemasIn(schema, name));
    const answers = operations.flatMap(({ path, operation }) =>
      Object.values(operation.responses).flatMap(({ content = {} }) =>
        Object.values(content).flatMap(({ schema }) => schemasIn(schema, path)),
      ),
    );
    const parameters = operations.flatMap(({ path, operation }) =>
      operation.parameters.flatMap(({ name, schema }) => schemasIn(schema, `${path}?${name}`)),
    );

    const says = ['type', '$ref', 'anyOf', 'oneOf', 'allOf', 'enum', 'const'];
    const empty = [...bodies, ...named, ...answers, ...parameters].filter(
      ([, schema]) => !says.some((key) => key in schema),
    );
    expect(empty.map(([place]) => place).filter((place) => place !== 'Problem/additionalProperties')).toEqual([]);

    const used = new Set(bodies.flatMap(([, schema]) => (typeof schema['$ref'] === 'string' ? [schema['$ref']] : [])));
    const open = [
      ...bodies,
      ...named.filter(([place]) => used.has(`#/components/schemas/${place.split('/')[0]}`)),
    ].filter(([, schema]) => 'properties' in schema && schema['additionalProperties'] !== false);
    expect(open.map(([place]) => place)).toEqual([]);
  });
});

describe('the documentation', () => {
  it('is there for people, from our own address alone', async () => {
    const api = await TestApi.with();
    const page = await api.send('GET', '/docs');
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    const scripts = [...page.body.matchAll(/<script([^>]*)>([^<]*)/g)];
    expect(scripts.length).toBeGreaterThan(1);
    for (const [, attributes = '', inline = ''] of scripts) {
      expect([attributes.includes('src="./docs/'), inline.trim()]).toEqual([true, '']);
      const source = /src="\.(\/docs\/[^"]+)"/.exec(attributes)?.[1] ?? '';
      expect([source, (await api.send('GET', source)).statusCode]).toEqual([source, 200]);
    }
    await api.close();
  });

  it('has nothing of a domain that is not composed', async () => {
    const api = await TestApi.with();
    expect(
      Object.keys(openApi.parse(await api.get('/docs-json')).paths).some((path) => path.startsWith('/api/notes')),
    ).toBe(false);
    await api.close();
  });
});
