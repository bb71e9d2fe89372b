import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import type { Domain } from '../domain/domain.js';
import { OutboxRelay } from '../outbox/outbox-relay.js';
import { Crons } from './crons.js';
import { JOB_DOMAINS, JobRunner } from './job-runner.js';
import { platformJobs } from './platform.jobs.js';

/** The half of the worker that does jobs: those of the platform and of exactly these domains, and the outbox relay. */
@Module({})
export class JobsModule {
  static forDomains(enabled: readonly Domain[]): DynamicModule {
    const domains = [platformJobs, ...enabled];
    return {
      module: JobsModule,
      imports: [ScheduleModule.forRoot(), ...domains.flatMap(({ jobs }) => jobs ?? [])],
      providers: [{ provide: JOB_DOMAINS, useValue: domains }, Crons, OutboxRelay, JobRunner],
      exports: [JobRunner],
    };
  }
}
