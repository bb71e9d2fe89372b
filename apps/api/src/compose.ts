import {
  fastifyAdapter,
  HealthModule,
  HttpModule,
  NestLogger,
  PlatformModule,
  prefixRoutes,
  prepareServer,
  Routes,
  type Domain,
  type Runtime,
} from '@belay/platform';
import { Module } from '@nestjs/common';
import { ModulesContainer, NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { ledgers } from '../../../migrations/index.js';
import { openApiDocument, serveDocs } from './openapi.js';

/** The API with exactly these domains, initialised and not listening: what is off leaves no route and no entity. */
export async function composeApi(runtime: Runtime, enabled: readonly Domain[]): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    { module: ApiModule, imports: importsOf(enabled, runtime) },
    fastifyAdapter(runtime.config),
    // Nest declares these options as a class and expects a literal.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    { logger: new NestLogger(runtime.log), abortOnError: false, bodyParser: false },
  );
  try {
    prepareServer(app, runtime.config);
    serveDocs(app, app.get(Routes), enabled);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** The document of the API with these domains. Nothing is started for it, so it needs no database. */
export async function describeApi(domains: readonly Domain[]): Promise<OpenAPIObject> {
  const app = await NestFactory.create<NestFastifyApplication>(
    { module: ApiModule, imports: importsOf(domains) },
    new FastifyAdapter(),
    // Nest declares these options as a class and expects a literal.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    { logger: false, abortOnError: false, preview: true },
  );
  prefixRoutes(app);
  return openApiDocument(app, new Routes(app.get(ModulesContainer), new Reflector(), { domains }), domains);
}

@Module({})
class ApiModule {}

function importsOf(enabled: readonly Domain[], runtime?: Runtime) {
  const platform = [PlatformModule.forRoot(ledgers, runtime), HttpModule, HealthModule];
  return [...platform, ...enabled.map(({ module }) => module)];
}
