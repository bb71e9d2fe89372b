import { problem, type Domain, type Route, type Routes } from '@belay/platform';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { schemaConverter } from './openapi.schemas.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

const verb = z.enum(['get', 'post', 'put', 'patch', 'delete']);

/** Serves the document of this application at /docs-json and its UI at /docs. */
export function serveDocs(app: INestApplication, routes: Routes, enabled: readonly Domain[]): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app, routes, enabled), {
    raw: ['json'],
    customSiteTitle: 'Belay API',
    swaggerOptions: { persistAuthorization: true },
  });
}

/** What the composed application answers, in an order that depends on nothing but the routes. */
export function openApiDocument(app: INestApplication, routes: Routes, enabled: readonly Domain[]): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('Belay')
    .setDescription(description)
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({
      type: 'http',
      description:
        'An access token of POST /api/auth/sign-in, an API token (bly_…) or a token of the identity provider',
    })
    .addTag('platform', 'The process itself');
  for (const { name, title } of enabled) builder.addTag(name, title);

  const convert = schemaConverter();
  const document = SwaggerModule.createDocument(app, builder.build(), {
    autoTagControllers: false,
    operationIdFactory: (controller, method) => operationId(controller, method),
    standardSchemaConverter: (schema, { schemaType }) => convert(schema, schemaType),
  });
  const problemSchema = convert(problem, 'output');
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...problemSchema?.components },
  };
  for (const route of routes.all) complete(operationOf(document, route), route);
  return sorted(document, routes);
}

function operationOf(document: OpenAPIObject, route: Route): Operation {
  const operation = document.paths[documentPath(route)]?.[verb.parse(route.method.toLowerCase())];
  if (!operation) throw new Error(`${route.method} ${route.path} is not documented`);
  return operation;
}

/** Adds what follows from the route's access, domain and verb. */
function complete(operation: Operation, route: Route): void {
  operation.tags = [route.domain?.name ?? 'platform'];
  const { access, endpoint } = route;
  Object.assign(operation, { 'x-permission': permissionOf(access) });
  if (access.kind !== 'public') operation.security = [{ bearer: [] }];
  if (takesKey(route))
    operation.parameters = [...(operation.parameters ?? []), idempotencyKey(endpoint.idempotency === 'required')];
  for (const [status, slugs] of problemsOf(route, operation)) operation.responses[status] = answer(slugs.join(' · '));
  operation.responses.default = answer('Any other problem');
}

/** What a caller must hold one of; else `signed-in` or `public`. */
function permissionOf(access: Route['access']): string {
  return access.kind === 'permission' ? [access.permission, ...access.others].join(' | ') : access.kind;
}

function takesKey({ method, access, endpoint }: Route): boolean {
  return method === 'POST' && access.kind !== 'public' && endpoint.idempotency !== 'none';
}

function idempotencyKey(required: boolean) {
  return {
    name: 'Idempotency-Key',
    in: 'header' as const,
    required,
    description: 'Makes the request safe to repeat for 24 hours: a repetition changes nothing and gets the same answer',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
  };
}

/** Slugs by status: those the route names, and those that follow from what it asks for. */
function problemsOf(route: Route, operation: Operation): Map<string, string[]> {
  const { access, endpoint, domain } = route;
  const hasInput =
    operation.requestBody !== undefined ||
    (operation.parameters ?? []).some((one) => 'in' in one && one.in !== 'header');
  const versioned = (operation.parameters ?? []).some((one) => 'name' in one && one.name === 'If-Match');
  const names = [
    ...(endpoint.problems ?? []),
    ...(access.kind === 'public' ? [] : ['401 sign-in-required', '401 token-refused']),
    ...(access.kind === 'permission' ? ['403 permission-missing'] : []),
    ...(domain?.flag === undefined ? [] : ['404 module-off']),
    ...(operation.requestBody === undefined ? [] : ['400 malformed-json']),
    ...(hasInput ? ['422 invalid-request'] : []),
    ...(takesKey(route) ? ['409 request-in-progress', '422 idempotency-key-reused'] : []),
    ...(takesKey(route) && endpoint.idempotency === 'required' ? ['400 idempotency-key-required'] : []),
    ...(versioned ? ['412 precondition-failed', '428 precondition-required'] : []),
  ];
  const byStatus = new Map<string, string[]>();
  for (const name of [...new Set(names)].sort()) {
    const [status = '', slug = ''] = name.split(' ');
    byStatus.set(status, [...(byStatus.get(status) ?? []), slug]);
  }
  return byStatus;
}

function answer(description: string) {
  return { description, content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } };
}

function sorted(document: OpenAPIObject, routes: Routes): OpenAPIObject {
  const paths = [...new Set(routes.all.map(documentPath))].sort();
  const schemas = Object.entries(document.components?.schemas ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    ...document,
    paths: Object.fromEntries(paths.map((path) => [path, document.paths[path] ?? {}])),
    components: { ...document.components, schemas: Object.fromEntries(schemas) },
  };
}

function documentPath({ path }: Route): string {
  return path.replaceAll(/:([A-Za-z]+)/g, '{$1}');
}

function operationId(controller: string, method: string): string {
  const noun = controller.replace(/Controller$/, '');
  return `${noun.charAt(0).toLowerCase()}${noun.slice(1)}${method.charAt(0).toUpperCase()}${method.slice(1)}`;
}

const description = `Operations backend: what is made, stored and sold, and how every change is taken back.

Failures are problems (RFC 9457): compare \`code\`, read \`detail\`. Lists take \`limit\` and \`cursor\` and answer
\`{ items, next }\`. Changes of versioned things take \`If-Match\` with the \`ETag\`. A module that is switched off answers
404 \`module-off\` and is absent here.`;
