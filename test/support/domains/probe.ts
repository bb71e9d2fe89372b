import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module, Post, Query } from '@nestjs/common';
import {
  Endpoint,
  EventStreams,
  FinishesOpenWork,
  InFeature,
  KeptBy,
  Public,
  SignedIn,
  type Domain,
} from '@belay/platform';
import { z } from 'zod';
import { ProbeJobsModule } from './probe.jobs.js';

const answer = z.object({ ok: z.literal(true) }).meta({ id: 'ProbeAnswer' });
type Answer = z.infer<typeof answer>;
const wait = z.object({ ms: z.coerce.number().int().min(0).max(10_000).default(0) });

/** A gated domain with one route of every kind that the gate treats differently. */
@Controller('probe')
class ProbeController {
  constructor(private readonly streams: EventStreams) {}

  @Get()
  @Public()
  @Endpoint('Read, after a while', { returns: answer })
  async read(@Query({ schema: wait }) { ms }: z.infer<typeof wait>): Promise<Answer> {
    if (ms > 0) await sleep(ms);
    return { ok: true };
  }

  @Post()
  @Public()
  @Endpoint('Start something', { status: 201, returns: answer, idempotency: 'none' })
  start(): Answer {
    return { ok: true };
  }

  @Post('end')
  @Public()
  @FinishesOpenWork()
  @Endpoint('End what was started', { returns: answer, idempotency: 'none' })
  end(): Answer {
    return { ok: true };
  }

  @Get('mine')
  @SignedIn()
  @Endpoint('Read as oneself', { returns: answer })
  mine(): Answer {
    return { ok: true };
  }

  @Get('events')
  @Public()
  @Endpoint('Follow what happens', { events: true })
  events() {
    return this.streams.open((send) => {
      send({ id: '1', data: {} });
    });
  }

  @Get('kept')
  @Public()
  @KeptBy('probe_preview')
  @Endpoint('Read with the module or its preview', { returns: answer })
  kept(): Answer {
    return { ok: true };
  }
}

@Controller('probe/exports')
@InFeature('probe_export')
class ProbeExportController {
  @Get()
  @Public()
  @Endpoint('Read an export', { returns: answer })
  read(): Answer {
    return { ok: true };
  }

  @Post()
  @Public()
  @Endpoint('Make an export', { status: 201, returns: answer, idempotency: 'none' })
  make(): Answer {
    return { ok: true };
  }

  @Get('mine')
  @SignedIn()
  @Endpoint('Read an export as oneself', { returns: answer })
  mine(): Answer {
    return { ok: true };
  }
}

@Controller('probe/preview')
@InFeature('probe_preview')
class ProbePreviewController {
  @Get()
  @Public()
  @Endpoint('Read a preview', { returns: answer })
  read(): Answer {
    return { ok: true };
  }
}

@Module({ controllers: [ProbeController, ProbeExportController, ProbePreviewController] })
export class ProbeModule {}

export const probe = {
  name: 'probe',
  title: 'Probe',
  flag: 'enable_probe',
  keptBy: ['probe_preview'],
  after: ['directory'],
  features: [
    { flag: 'probe_export', title: 'Exports' },
    { flag: 'probe_preview', title: 'Preview, also without the module' },
    { flag: 'probe_masking', title: 'Masking', defaultOn: true },
  ],
  module: ProbeModule,
  jobs: ProbeJobsModule,
  listens: ['beacon.lit'],
} satisfies Domain;
