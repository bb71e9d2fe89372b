import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { domains } from '@belay/domains';
import { Endpoint, Public, Requires, Routes, type Domain } from '@belay/platform';
import { Controller, Get, Module, Param, type Type } from '@nestjs/common';
import { z } from 'zod';
import { notes, notesSchema } from '../support/domains/notes.js';
import { TestApi } from '../support/test-api.js';

/** All that anybody may ask without a token. A route that is not here is not public. */
const publicRoutes = [
  // Asks for a link that Belay signed, and that runs out.
  'GET /api/wms/exports/:id/download',
  'POST /api/auth/refresh',
  'POST /api/auth/sign-in',
  'POST /api/auth/sign-out',
];
const ofTheFixture = ['GET /api/notes/open', 'POST /api/notes/open'];

/** What Swagger UI serves. */
const docs = [
  '/docs',
  '/docs/',
  '/docs/index.html',
  '/docs/LICENSE',
  '/docs/swagger-ui-init.js',
  '/docs/docs/swagger-ui-init.js',
  '/docs/*',
  '/docs-json',
];

/** All that every signed-in account may ask: about itself, or about those whom it leads, which the use case looks up. */
const ownAffairs = [
  'GET /api/auth/me',
  'GET /api/directory/accounts/:id/skills',
  'GET /api/notes/mine',
  'GET /api/production/operators/:id/current-work',
  'POST /api/production/assignments',
  'POST /api/production/assignments/:id/cancel',
  'POST /api/production/tokens/:id/override',
  'PUT /api/auth/password',
  'PUT /api/directory/accounts/:id/consent',
];

describe('every route', () => {
  let nobody: TestApi;
  let powerless: TestApi;
  beforeAll(async () => {
    nobody = await TestApi.start(
      { sql: notesSchema, config: { ANONYMOUS_RATE_LIMIT_PER_MINUTE: 10_000 } },
      ...domains,
      notes,
    );
    powerless = await nobody.as();
  });
  afterAll(() => nobody.close());

  const routes = () => nobody.app.get(Routes).all;
  const ofKind = (kind: string) =>
    routes()
      .filter(({ access }) => access.kind === kind)
      .map(({ method, path }) => `${method} ${path}`)
      .sort();
  const send = (api: TestApi, method: string, path: string) =>
    api.app.inject({
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).parse(method),
      url: path,
      headers: api.headers,
    });

  it('is known to the router under the path that is checked here, and the router knows no other but the docs', () => {
    const instance = nobody.app.getHttpAdapter().getInstance();
    for (const { method, path } of routes()) expect(instance.hasRoute({ method, url: path })).toBe(true);
    const served = instance.printRoutes({ commonPrefix: false }).match(/\((?:[A-Z]+(?:, )?)+\)/g) ?? [];
    const known = served.join(', ').match(/GET|POST|PUT|PATCH|DELETE/g)?.length;
    for (const url of docs) expect(instance.hasRoute({ method: 'GET', url })).toBe(true);
    expect(known).toBe(routes().length + docs.length);
  });

  it('is public only when it is on the list', () => {
    expect(ofKind('public').filter((route) => !/ \/(health|metrics)/.test(route))).toEqual(
      [...publicRoutes, ...ofTheFixture].sort(),
    );
  });

  it('is open to everybody who is signed in only when it is on the list', () => {
    expect(ofKind('signed-in')).toEqual(ownAffairs);
  });

  it('that is not public answers 401 without a token', async () => {
    for (const { method, path, access } of routes()) {
      if (access.kind === 'public') continue;
      const response = await send(nobody, method, path);
      expect([method, path, response.statusCode]).toEqual([method, path, 401]);
      expect(response.json()).toMatchObject({ code: 'sign-in-required' });
      expect(response.headers['www-authenticate']).toBe('Bearer');
    }
  });

  it('answers 403 to somebody without its permission, and names it', async () => {
    for (const { method, path, access } of routes()) {
      if (access.kind !== 'permission') continue;
      const response = await send(powerless, method, path);
      expect([method, path, response.statusCode]).toEqual([method, path, 403]);
      expect(response.json()).toMatchObject({ code: 'permission-missing', permission: access.permission });
    }
  });
});

describe('an application', () => {
  const domain = (controller: Type): Domain => {
    @Module({ controllers: [controller] })
    class FixtureModule {}
    return { name: 'fixture', title: 'Fixture', after: [], features: [], module: FixtureModule };
  };

  it('does not boot with a route that does not say who may ask, nor with one that is not described', async () => {
    @Controller('fixture')
    class Careless {
      @Get('open')
      @Endpoint('Say nothing about access')
      open(): void {
        return undefined;
      }

      @Get('bare')
      @Public()
      bare(): void {
        return undefined;
      }
    }
    await expect(TestApi.with(domain(Careless))).rejects.toThrow(
      /Careless\.open lacks @Requires, @SignedIn or @Public\nCareless\.bare lacks @Endpoint/,
    );
  });

  it('does not boot with an input that nothing checks', async () => {
    @Controller('fixture')
    class Trusting {
      @Get(':id')
      @Requires('fixture:read')
      @Endpoint('Believe everything')
      open(@Param('id') id: string): string {
        return id;
      }
    }
    await expect(TestApi.with(domain(Trusting))).rejects.toThrow(
      /Trusting\.open lacks a schema for what it takes from the params/,
    );
  });

  it('takes no permission that is not one', () => {
    expect(() => Requires('admin')).toThrow(/no permission/);
  });
});
