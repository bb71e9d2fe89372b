import { setTimeout as sleep } from 'node:timers/promises';
import { directory } from '@belay/directory';
import {
  createLogger,
  Endpoint,
  EventStreams,
  LOG,
  Public,
  readConfig,
  startRuntime,
  type Config,
  type Domain,
  type RunningRuntime,
} from '@belay/platform';
import { Body, Controller, Get, Inject, Module, Param, Post, Query } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { z } from 'zod';
import { composeApi } from '../../apps/api/src/compose.js';
import { createDatabases } from '../support/databases.js';

const wait = z.object({ ms: z.coerce.number().default(0) });
const word = z.object({ word: z.string() });

/** Routes that take their time, fail, stream and log. */
@Controller('watched')
@Public()
class WatchedController {
  constructor(
    private readonly streams: EventStreams,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  @Get('things/:id')
  @Endpoint('Read, after a while')
  async read(@Param('id', { schema: z.string() }) _id: string, @Query({ schema: wait }) { ms }: z.infer<typeof wait>) {
    await sleep(ms);
  }

  @Get('failures')
  @Endpoint('Fail')
  fail(): void {
    throw new Error('out of order');
  }

  @Post('words')
  @Endpoint('Log a word')
  async say(@Body({ schema: word }) body: z.infer<typeof word>): Promise<void> {
    await sleep(1);
    this.log.info(body, 'said');
  }

  @Get('events')
  @Endpoint('Follow', { events: true })
  events() {
    return this.streams.open(async () => {
      await sleep(1_050);
    });
  }
}

@Module({ controllers: [WatchedController] })
class WatchedModule {}

const watched: Domain = {
  name: 'watched',
  title: 'Watched',
  flag: 'enable_watched',
  defaultOn: true,
  after: ['directory'],
  features: [],
  module: WatchedModule,
};

export interface Watch {
  readonly runtime: RunningRuntime;
  [Symbol.asyncDispose](): Promise<void>;
  /** Every line logged so far. */
  readonly lines: readonly Record<string, unknown>[];
  compose(): Promise<NestFastifyApplication>;
  /** A request to the newest application. */
  get(path: string, headers?: Readonly<Record<string, string>>): ReturnType<NestFastifyApplication['inject']>;
  post(
    path: string,
    body: object,
    headers?: Readonly<Record<string, string>>,
  ): ReturnType<NestFastifyApplication['inject']>;
}

/** The API with `watched`, its log and its metrics in the hands of a test. */
export async function watch(settings: Partial<Config> = {}): Promise<Watch> {
  await using started = new AsyncDisposableStack();
  const databases = started.adopt(await createDatabases(), (one) => one.drop());
  const config: Config = {
    ...readConfig({
      DATABASE_URL: databases.databaseUrl,
      CONTROL_DATABASE_URL: databases.controlUrl,
      FLAGS_FILE: 'test/support/no-flags.json',
      SECRET_KEY: Buffer.alloc(32).toString('base64'),
      LOG_LEVEL: 'silent',
    }),
    ...settings,
  };
  const domains = [directory, watched];
  const runtime = started.adopt(await startRuntime('api', domains, config), (one) => one.close());
  const lines: Record<string, unknown>[] = [];
  const line = z.record(z.string(), z.unknown());
  const log = createLogger(config, 'api', 'p-1', { write: (text) => lines.push(line.parse(JSON.parse(text))) });

  const apps: NestFastifyApplication[] = [];
  started.defer(async () => {
    for (const app of apps) await app.close();
  });
  const compose = async () => {
    const app = await composeApi({ ...runtime, log }, domains);
    apps.push(app);
    return app;
  };
  let newest = await compose();
  const end = started.move();
  return {
    runtime,
    lines,
    compose: async () => (newest = await compose()),
    get: (url, headers = {}) => newest.inject({ method: 'GET', url, headers }),
    post: (url, body, headers = {}) => newest.inject({ method: 'POST', url, payload: body, headers }),
    [Symbol.asyncDispose]: () => end.disposeAsync(),
  };
}
