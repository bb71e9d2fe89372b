import { Injectable, Module } from '@nestjs/common';
import { Consumes, CronJob, Database, type DeliveredEvent } from '@belay/platform';
import { z } from 'zod';

/** Where the probe's jobs leave their traces. */
export const probeSql = `
  CREATE TABLE IF NOT EXISTS public.probe_trace (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what  text NOT NULL,
    at    timestamptz NOT NULL DEFAULT clock_timestamp()
  )`;

const nothing = z.object({});

@Injectable()
class ProbeProcessor {
  constructor(private readonly database: Database) {}

  @CronJob({ name: 'tick', cron: '* * * * * *' })
  tick(): Promise<void> {
    return this.trace('tick');
  }

  @Consumes('beacon.lit', nothing)
  lit({ name }: DeliveredEvent<z.output<typeof nothing>>): Promise<void> {
    return this.trace(name);
  }

  private async trace(what: string): Promise<void> {
    await this.database.manager.query(`INSERT INTO public.probe_trace (what) VALUES ($1)`, [what]);
  }
}

@Module({ providers: [ProbeProcessor] })
export class ProbeJobsModule {}
