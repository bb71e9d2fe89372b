import { Controller, Get, Module } from '@nestjs/common';
import { Endpoint, Public, type Domain } from '@belay/platform';
import { z } from 'zod';
import { ProbeModule } from './probe.js';

const reading = z.object({ value: z.int() }).meta({ id: 'GaugeReading' });

@Controller('gauge')
class GaugeController {
  @Get()
  @Public()
  @Endpoint('Read the gauge', { returns: reading })
  read(): z.infer<typeof reading> {
    return { value: 7 };
  }
}

@Module({ imports: [ProbeModule], controllers: [GaugeController] })
class GaugeModule {}

/** Cannot live without the probe, whose module it imports. */
export const gauge = {
  name: 'gauge',
  title: 'Gauge',
  flag: 'enable_gauge',
  after: ['directory', 'probe'],
  features: [],
  module: GaugeModule,
} satisfies Domain;
