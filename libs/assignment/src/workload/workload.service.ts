import { Injectable } from '@nestjs/common';
import { DirectoryReader, type PersonView } from '@belay/directory';
import { Database, decodeCursor, listFrom, PermissionMissing, type Caller, type List } from '@belay/platform';
import { ProductionReader } from '@belay/production';
import { z } from 'zod';
import { TeamNotFound } from '../assignment.problems.js';
import { READ_WORKLOAD } from '../availability/availability.service.js';
import { PeopleScope } from '../people-scope.service.js';
import { loadOf, spreadOf } from '../resolver/load.rules.js';
import { Attendances } from '../state/attendances.service.js';
import type { WorkloadFilter, WorkloadView } from './workload.contract.js';
import { membersInScope, teamsInScope, type MemberInScope } from './workload.queries.js';

const listKey = z.tuple([z.uuid()]);

type Team = Awaited<ReturnType<typeof teamsInScope>>[number];

/** How the work lies on the people of the teams. */
@Injectable()
export class WorkloadService {
  constructor(
    private readonly attendances: Attendances,
    private readonly database: Database,
    private readonly directory: DirectoryReader,
    private readonly production: ProductionReader,
    private readonly scope: PeopleScope,
  ) {}

  async team(by: Caller, teamId: string): Promise<WorkloadView> {
    const on = this.database.dataSource;
    const led = await this.scope.led(on, by);
    if (!led.includes(teamId)) await this.scope.team(on, by, READ_WORKLOAD, teamId);
    const [team] = await teamsInScope(on, [[teamId], null, [], null, null, 1]);
    if (!team) throw new TeamNotFound(teamId);
    const [view] = await this.views(by, [team]);
    if (!view) throw new TeamNotFound(teamId);
    return view;
  }

  async list(by: Caller, filter: WorkloadFilter): Promise<List<WorkloadView>> {
    const { siteId = null, cursor, limit } = filter;
    const on = this.database.dataSource;
    const [after = null] = decodeCursor(cursor, listKey) ?? [];
    const sites = this.scope.sites(by, READ_WORKLOAD);
    const led = await this.scope.led(on, by);
    if (sites?.length === 0 && led.length === 0) throw new PermissionMissing(READ_WORKLOAD);
    const teams = await teamsInScope(on, [null, sites, led, siteId, after, limit + 1]);
    const views = new Map((await this.views(by, teams.slice(0, limit))).map((view) => [view.teamId, view]));
    return listFrom(
      teams,
      limit,
      ({ teamId }) => [teamId],
      ({ teamId }) => known(views.get(teamId)),
    );
  }

  private async views(by: Caller, teams: readonly Team[]): Promise<WorkloadView[]> {
    const on = this.database.dataSource;
    const members = await membersInScope(on, [teams.map(({ teamId }) => teamId), null, []]);
    const ids = [...new Set(members.map(({ operatorId }) => operatorId))];
    const at = await this.attendances.time(on);
    const [work, presences, people] = await Promise.all([
      this.production.work(on, { operators: members, at, details: true }),
      this.attendances.at(on, ids, at),
      this.directory.people(by, ids),
    ]);
    const workOf = new Map(members.map((member, index) => [member, known(work[index])]));
    const available = new Set(presences.filter((one) => one.available).map(({ operatorId }) => operatorId));
    return teams.map((team) => {
      const shown = members
        .filter(({ teamId }) => teamId === team.teamId)
        .map((member) => personOf(team, member, known(workOf.get(member)), available, people));
      const loads = shown.filter((one) => one.available).map(({ load }) => load);
      const { mean, sigma, drift } = spreadOf(loads);
      return { ...team, mean, sigma, drift, people: shown };
    });
  }
}

function personOf(
  team: Team,
  { operatorId, capacityPerDay }: MemberInScope,
  work: Parameters<typeof loadOf>[1] & { readonly today: number },
  available: ReadonlySet<string>,
  people: ReadonlyMap<string, PersonView>,
): WorkloadView['people'][number] {
  const { open, today, sessions } = work;
  const load = loadOf(team.loadMode, work);
  const person = known(people.get(operatorId));
  return { person, available: available.has(operatorId), load, open, today, sessions, capacityPerDay };
}

function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('What was just listed is known');
  return value;
}
