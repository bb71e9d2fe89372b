import { Injectable } from '@nestjs/common';
import { DirectoryReader } from '@belay/directory';
import { Database, decodeCursor, listFrom, PermissionMissing, type Caller } from '@belay/platform';
import { ProductionReader } from '@belay/production';
import { z } from 'zod';
import { READ_WORKLOAD } from '../availability/availability.service.js';
import { PeopleScope } from '../people-scope.service.js';
import { Attendances } from '../state/attendances.service.js';
import { statusOf, type PersonStatus } from './person-status.rules.js';
import type { MonitorFilter, PeopleMonitor } from './workload.contract.js';
import { membersInScope, type MemberInScope } from './workload.queries.js';

const listKey = z.tuple([z.uuid()]);

/** Everybody the caller may look at: whether they are there, and what they do. */
@Injectable()
export class PeopleMonitorService {
  constructor(
    private readonly attendances: Attendances,
    private readonly database: Database,
    private readonly directory: DirectoryReader,
    private readonly production: ProductionReader,
    private readonly scope: PeopleScope,
  ) {}

  async look(by: Caller, { teamId, status, cursor, limit }: MonitorFilter): Promise<PeopleMonitor> {
    const on = this.database.dataSource;
    const [after = ''] = decodeCursor(cursor, listKey) ?? [];
    const sites = this.scope.sites(by, READ_WORKLOAD);
    const led = await this.scope.led(on, by);
    if (sites?.length === 0 && led.length === 0) throw new PermissionMissing(READ_WORKLOAD);
    const members = await membersInScope(on, [teamId === undefined ? null : [teamId], sites, led]);
    const teams = new Map<string, string[]>();
    for (const one of members) teams.set(one.operatorId, [...(teams.get(one.operatorId) ?? []), one.teamId]);
    const ids = [...teams.keys()];
    // The day of somebody in teams of several sites is that of the first.
    const operators = members.filter((one, index) => members.findIndex((other) => same(one, other)) === index);
    const at = await this.attendances.time(on);
    const [presences, sessions, work] = await Promise.all([
      this.attendances.at(on, ids, at),
      this.production.openSessions(on, ids),
      this.production.work(on, { operators, at, details: false }),
    ]);
    const loads = new Map(work.map((one) => [one.operatorId, one]));
    const everybody = presences.map((presence) => {
      const [current] = sessions.get(presence.operatorId) ?? [];
      return { ...presence, current, status: statusOf(presence, current) };
    });
    const rows = everybody
      .filter((one) => one.operatorId > after && (status === undefined || one.status === status))
      .slice(0, limit + 1);
    const people = await this.directory.people(
      by,
      rows.slice(0, limit).map(({ operatorId }) => operatorId),
    );
    const { items, next } = listFrom(
      rows,
      limit,
      ({ operatorId }) => [operatorId],
      ({ operatorId, status: now, reason, until, current }): PeopleMonitor['items'][number] => {
        const person = people.get(operatorId);
        if (!person) throw new Error(`The operator ${operatorId} was listed, but not masked`);
        const { open = 0, today = 0 } = loads.get(operatorId) ?? {};
        const away = now === 'leave' || now === 'unavailable';
        return {
          person,
          teamIds: teams.get(operatorId) ?? [],
          status: now,
          reason,
          until: until?.toISOString() ?? null,
          open,
          today,
          current: current ? { ...current, since: current.since.toISOString() } : null,
          warning: away && current?.status === 'active' ? 'works-while-unavailable' : null,
        };
      },
    );
    return { counts: counted(everybody), items, next };
  }
}

function same(one: MemberInScope, other: MemberInScope): boolean {
  return one.operatorId === other.operatorId;
}

function counted(everybody: readonly { readonly status: PersonStatus }[]): Record<PersonStatus, number> {
  const counts = { leave: 0, unavailable: 0, working: 0, paused: 0, available: 0 };
  for (const { status } of everybody) counts[status] += 1;
  return counts;
}
