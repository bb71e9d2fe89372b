import {
  fastifyAdapter,
  HealthModule,
  HttpModule,
  NestLogger,
  PlatformModule,
  prepareServer,
  Routes,
  type Domain,
  type Runtime,
} from '@belay/platform';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ledgers } from '../../../migrations/index.js';
import { serveDocs } from './openapi.js';

/** The API with exactly these domains, initialised and not listening: what is off leaves no route and no entity. */
export async function composeApi(runtime: Runtime, enabled: readonly Domain[]): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    apiModule(runtime, enabled),
    fastifyAdapter(runtime.config),
    { logger: new NestLogger(runtime.log), abortOnError: false, bodyParser: false },
  );
  try {
    await prepareServer(app, runtime.config);
    serveDocs(app, app.get(Routes), enabled);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

class ApiModule {}

export function apiModule(runtime: Runtime, enabled: readonly Domain[]) {
  const looks = HealthModule.forRoot(ledgers);
  const imports = [PlatformModule.forRoot(runtime), HttpModule, looks, ...enabled.map(({ module }) => module)];
  return { module: ApiModule, imports };
}
