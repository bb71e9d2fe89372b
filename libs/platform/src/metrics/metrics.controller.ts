import { Controller, Get, Inject, Req, StreamableFile } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Public } from '../auth/access.decorators.js';
import type { Config } from '../config/config.js';
import { Endpoint } from '../http/endpoint.decorator.js';
import { CONFIG, METRICS } from '../runtime.js';
import { admitToMetrics } from './metrics-access.js';
import { Metrics } from './metrics.js';

@Controller('metrics')
export class MetricsController {
  constructor(
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @Public()
  @Endpoint('Read the metrics of this process', {
    description: 'For Prometheus, with METRICS_TOKEN as the bearer token.',
    download: 'text/plain',
    problems: ['401 sign-in-required', '401 token-refused', '403 metrics-closed'],
  })
  async read(@Req() { raw }: FastifyRequest): Promise<StreamableFile> {
    admitToMetrics(this.config, raw);
    return new StreamableFile(Buffer.from(await this.metrics.metrics()), { type: this.metrics.contentType });
  }
}
