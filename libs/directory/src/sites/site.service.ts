import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  containing,
  Database,
  decodeCursor,
  listFrom,
  Outbox,
  PermissionMissing,
  PreconditionFailed,
  violates,
  type Caller,
  type Executor,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import type { SiteChanged } from '../directory.events.js';
import { sitesValue } from '../people/person.queries.js';
import { Shift } from './shift.entity.js';
import { defaultShifts, overlap, type ShiftTimes } from './shift.rules.js';
import type { ChangeSite, DraftSite, ShiftPlan, ShiftPlanView, SiteFilter, SiteView } from './site.contract.js';
import { Site } from './site.entity.js';
import { CodeTaken, ShiftOverlap, SiteNotFound, UnknownTimeZone } from './site.problems.js';
import { isTimeZone, shiftsOf, siteList } from './site.queries.js';

const READ = 'directory.site:read';
const WRITE = 'directory.site:write';
const listKey = z.tuple([z.string(), z.uuid()]);

@Injectable()
export class SiteService {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  async list(by: Caller, { search, kind, active, cursor, limit }: SiteFilter): Promise<List<SiteView>> {
    const after = decodeCursor(cursor, listKey) ?? [null, null];
    const rows = await siteList(this.database.dataSource, [
      sitesValue(by, READ),
      containing(search),
      kind ?? null,
      active ?? null,
      ...after,
      limit + 1,
    ]);
    return listFrom(rows, limit, (row) => [row.sortName, row.id], view);
  }

  async get(by: Caller, id: string): Promise<SiteView> {
    return view(await this.seen(by, id));
  }

  /** Starts with the default shifts. */
  async draft(by: Caller, draft: DraftSite): Promise<SiteView> {
    if (by.sitesFor(WRITE) !== 'all') throw new PermissionMissing(WRITE);
    const id = randomUUIDv7();
    return this.announced(by, draft.code, async (tx) => {
      await refuseUnknownZone(tx, draft.timeZone);
      const site = await tx.save(tx.create(Site, { id, ...draft }));
      await this.replaceShifts(tx, id, defaultShifts);
      return site;
    });
  }

  async change(by: Caller, id: string, version: number, details: ChangeSite): Promise<SiteView> {
    return this.announced(by, details.code ?? '', async (tx) => {
      const site = await this.locked(tx, by, id, version);
      if (details.timeZone !== undefined) await refuseUnknownZone(tx, details.timeZone);
      return tx.save(Object.assign(site, details));
    });
  }

  async shifts(by: Caller, id: string): Promise<ShiftPlanView> {
    const site = await this.seen(by, id);
    return { siteId: id, shifts: await timesOf(this.database.dataSource, id), rowVersion: site.rowVersion };
  }

  /** The plan is replaced as a whole: moving one shift at a time would pass through plans that overlap. */
  async planShifts(by: Caller, id: string, version: number, { shifts }: ShiftPlan): Promise<ShiftPlanView> {
    const overlapping = overlap(shifts);
    if (overlapping) throw new ShiftOverlap(overlapping);
    return this.database.transaction(by, async (tx) => {
      const site = await this.locked(tx, by, id, version);
      await this.replaceShifts(tx, id, shifts);
      await tx.increment(Site, { id }, 'rowVersion', 1);
      await this.announce(tx, site);
      return { siteId: id, shifts: await timesOf(tx, id), rowVersion: site.rowVersion + 1 };
    });
  }

  private async replaceShifts(tx: EntityManager, siteId: string, shifts: readonly ShiftTimes[]): Promise<void> {
    await tx.delete(Shift, { siteId });
    await tx.insert(
      Shift,
      shifts.map((shift) => ({ siteId, ...shift })),
    );
  }

  private async seen(by: Caller, id: string): Promise<Site> {
    const site = await this.database.manager.findOneBy(Site, { id });
    if (!site || !by.may(READ, id)) throw new SiteNotFound(id);
    return site;
  }

  private async locked(tx: EntityManager, by: Caller, id: string, version: number): Promise<Site> {
    const site = await tx.findOne(Site, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!site) throw new SiteNotFound(id);
    if (!by.may(WRITE, id)) throw new PermissionMissing(WRITE);
    if (site.rowVersion !== version) throw new PreconditionFailed(site.rowVersion);
    return site;
  }

  private async announced(by: Caller, code: string, work: (tx: EntityManager) => Promise<Site>): Promise<SiteView> {
    try {
      return await this.database.transaction(by, async (tx) => {
        const site = await work(tx);
        await this.announce(tx, site);
        return view(site);
      });
    } catch (error) {
      throw violates(error, 'site_code_is_unique') ? new CodeTaken('site', code) : error;
    }
  }

  private async announce(tx: EntityManager, { id, code, timeZone, active }: Site): Promise<void> {
    const changed: SiteChanged = { name: 'directory.site-changed', body: { siteId: id, code, timeZone, active } };
    await this.outbox.add(tx, changed, 'directory');
  }
}

async function refuseUnknownZone(on: Executor, timeZone: string): Promise<void> {
  const [zone] = await isTimeZone(on, [timeZone]);
  if (zone?.known !== true) throw new UnknownTimeZone(timeZone);
}

async function timesOf(on: Executor, siteId: string): Promise<ShiftTimes[]> {
  const rows = await shiftsOf(on, [[siteId]]);
  return rows.map(({ code, starts, ends }) => ({ code, starts, ends }));
}

function view(site: Site): SiteView {
  return {
    id: site.id,
    code: site.code,
    name: site.name,
    kind: site.kind,
    address: site.address,
    timeZone: site.timeZone,
    workingHours: site.workingHours,
    holidays: site.holidays,
    active: site.active,
    createdAt: site.createdAt.toISOString(),
    rowVersion: site.rowVersion,
  };
}
