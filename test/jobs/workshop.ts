import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import {
  Conflict,
  Consumes,
  CronJob,
  Database,
  Inbox,
  Job,
  jobType,
  type DeliveredEvent,
  type Domain,
  type RunningJob,
} from '@belay/platform';
import { z } from 'zod';

/** Where the jobs leave their effects; audited, so that it can be read under which request. */
export const workshopSql = `
  CREATE SCHEMA workshop;
  CREATE TABLE workshop.effect (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what  text NOT NULL,
    part  text NOT NULL,
    pid   integer NOT NULL,
    at    timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  SELECT platform.audit_table('workshop.effect')`;

const insert = `INSERT INTO workshop.effect (what, part, pid) VALUES ($1, $2, $3)`;

export const buildPart = jobType({
  domain: 'workshop',
  name: 'build-part',
  attempts: 3,
  backoffMs: 100,
  payload: z.object({
    part: z.string(),
    ms: z.number().default(0),
    stubborn: z.boolean().default(false),
    ends: z.enum(['well', 'well the third time', 'in an error', 'in a problem']).default('well'),
  }),
});

export const paintPart = jobType({
  domain: 'workshop',
  name: 'paint-part',
  feature: 'workshop_painting',
  payload: z.object({ part: z.string() }),
});

/** Announced by the foundry, which has no jobs of its own. */
const partCast = z.object({
  part: z.string(),
  /** How long its first delivery takes before the effect is committed, and afterwards. */
  before: z.number().default(0),
  after: z.number().default(0),
});

class PartImpossible extends Conflict {
  readonly slug = 'part-impossible';
  readonly title = 'The part cannot be built';

  constructor(part: string) {
    super(`${part} cannot be built.`, { part });
  }
}

@Injectable()
class Builder {
  constructor(private readonly database: Database) {}

  @Job(buildPart)
  async build({ part, ms, stubborn, ends }: z.output<typeof buildPart.payload>, job: RunningJob): Promise<void> {
    await this.database.manager.query(insert, ['begun', part, process.pid]);
    if (ends === 'in a problem') throw new PartImpossible(part);
    if (ends === 'in an error' || (ends === 'well the third time' && job.attempt < 3)) throw new Error('a tool broke');
    if (ms > 0) await sleep(ms, undefined, stubborn ? {} : { signal: job.signal });
    await this.effect(job, 'built', part);
  }

  @Job(paintPart)
  async paint({ part }: z.output<typeof paintPart.payload>, job: RunningJob): Promise<void> {
    await this.effect(job, 'painted', part);
  }

  private async effect(job: RunningJob, what: string, part: string): Promise<void> {
    await this.database.transaction(job.caller, async (tx) => {
      await tx.query(insert, [what, part, process.pid]);
      job.checkpoint();
    });
  }
}

@Injectable()
class Receiver {
  constructor(
    private readonly database: Database,
    private readonly inbox: Inbox,
  ) {}

  @Consumes('foundry.part-cast', partCast)
  async receive(event: DeliveredEvent<z.output<typeof partCast>>, job: RunningJob): Promise<void> {
    const { part } = event.body;
    await this.database.manager.query(insert, ['delivered', part, process.pid]);
    const { before, after } = (await this.isFirst(part)) ? event.body : { before: 0, after: 0 };
    await this.database.transaction(job.caller, async (tx) => {
      if (!(await this.inbox.once(tx, 'workshop.receive', event.id, 'workshop'))) return;
      await tx.query(insert, ['received', part, process.pid]);
      await sleep(before, undefined, { signal: job.signal });
    });
    await sleep(after, undefined, { signal: job.signal });
  }

  private async isFirst(part: string): Promise<boolean> {
    const rows = await this.database.manager.query<unknown[]>(
      `SELECT FROM workshop.effect WHERE what = 'delivered' AND part = $1`,
      [part],
    );
    return rows.length === 1;
  }
}

/** Six schedules of a slot a second: sixty slots take ten seconds. */
const everySecond = '* * * * * *';

@Injectable()
class Clocks {
  constructor(private readonly database: Database) {}

  @CronJob({ name: 'tick-1', cron: everySecond })
  first(slot: Date): Promise<void> {
    return this.tick('tick-1', slot);
  }

  @CronJob({ name: 'tick-2', cron: everySecond })
  second(slot: Date): Promise<void> {
    return this.tick('tick-2', slot);
  }

  @CronJob({ name: 'tick-3', cron: everySecond })
  third(slot: Date): Promise<void> {
    return this.tick('tick-3', slot);
  }

  @CronJob({ name: 'tick-4', cron: everySecond })
  fourth(slot: Date): Promise<void> {
    return this.tick('tick-4', slot);
  }

  @CronJob({ name: 'tick-5', cron: everySecond })
  fifth(slot: Date): Promise<void> {
    return this.tick('tick-5', slot);
  }

  @CronJob({ name: 'tick-6', cron: everySecond })
  sixth(slot: Date): Promise<void> {
    return this.tick('tick-6', slot);
  }

  private async tick(name: string, slot: Date): Promise<void> {
    await this.database.manager.query(insert, [name, slot.toISOString(), process.pid]);
  }
}

@Injectable()
class Visitors {
  constructor(private readonly database: Database) {}

  @Consumes('foundry.part-cast', partCast)
  async look({ body: { part } }: DeliveredEvent<z.output<typeof partCast>>): Promise<void> {
    await this.database.manager.query(insert, ['admired', part, process.pid]);
  }
}

@Module({})
class NoRoutes {}

@Module({ providers: [Builder, Receiver] })
class WorkshopJobs {}

@Module({ providers: [Visitors] })
class GalleryJobs {}

@Module({ providers: [Clocks] })
class TowerJobs {}

export const workshop = {
  name: 'workshop',
  title: 'Workshop',
  flag: 'enable_workshop',
  after: [],
  features: [{ flag: 'workshop_painting', title: 'Painting' }],
  module: NoRoutes,
  jobs: WorkshopJobs,
  listens: ['foundry.part-cast'],
} satisfies Domain;

/** Listens to the same fact as the workshop. */
export const gallery = {
  name: 'gallery',
  title: 'Gallery',
  flag: 'enable_gallery',
  after: [],
  features: [],
  module: NoRoutes,
  jobs: GalleryJobs,
  listens: ['foundry.part-cast'],
} satisfies Domain;

/** Has nothing but crons. */
export const tower = {
  name: 'tower',
  title: 'Tower',
  flag: 'enable_tower',
  after: [],
  features: [],
  module: NoRoutes,
  jobs: TowerJobs,
} satisfies Domain;
