import { Injectable } from '@nestjs/common';
import { DirectoryReader } from '@belay/directory';
import { Database, decodeCursor, listFrom, PermissionMissing, type Caller, type List } from '@belay/platform';
import { ProductionReader } from '@belay/production';
import { z } from 'zod';
import { TeamNotFound } from '../assignment.problems.js';
import { READ_WORKLOAD } from '../availability/availability.service.js';
import { PeopleScope } from '../people-scope.service.js';
import { loadOf, spreadOf, type Spread } from '../resolver/load.rules.js';
import { Attendances } from '../state/attendances.service.js';
import type { WorkloadFilter, WorkloadView } from './workload.contract.js';
import { membersInScope, teamsInScope, type MemberInScope } from './workload.queries.js';

const listKey = z.tuple([z.uuid()]);

/** As many as figures are shown of. */
const MOST_TEAMS = 500;

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

  /** How unevenly the work lies on each team. */
  async spreads(): Promise<readonly { readonly code: string; readonly sigma: number }[]> {
    const teams = await teamsInScope(this.database.dataSource, [null, null, [], null, null, MOST_TEAMS]);
    const loads = await this.loads(teams);
    return teams.map(({ teamId, code }) => ({ code, sigma: spreadOf(countedOf(loads, teamId)).sigma }));
  }

  private async views(by: Caller, teams: readonly Team[]): Promise<WorkloadView[]> {
    const loads = await this.loads(teams);
    const ids = loads.map(({ operatorId }) => operatorId);
    const people = await this.directory.people(by, [...new Set(ids)]);
    return teams.map((team) => ({
      ...team,
      ...shared(spreadOf(countedOf(loads, team.teamId))),
      people: loads
        .filter(({ teamId }) => teamId === team.teamId)
        .map(({ operatorId, ...load }) => ({ ...shown(load), person: known(people.get(operatorId)) })),
    }));
  }

  /** Of every member of the teams, in the measure of the team. */
  private async loads(teams: readonly Team[]): Promise<MemberLoad[]> {
    const on = this.database.dataSource;
    const members = await membersInScope(on, [teams.map(({ teamId }) => teamId), null, []]);
    const at = await this.attendances.time(on);
    const [work, presences] = await Promise.all([
      this.production.work(on, { operators: members, at, details: true }),
      this.attendances.at(on, [...new Set(members.map(({ operatorId }) => operatorId))], at),
    ]);
    const available = new Set(presences.filter((one) => one.available).map(({ operatorId }) => operatorId));
    return members.map(({ teamId, operatorId, capacityPerDay, loadMode }, index) => {
      const own = known(work[index]);
      const { open, today, sessions } = own;
      const load = loadOf(loadMode, own);
      return { teamId, operatorId, capacityPerDay, available: available.has(operatorId), load, open, today, sessions };
    });
  }
}

type MemberLoad = Omit<MemberInScope, 'since' | 'loadMode'> & Omit<WorkloadView['people'][number], 'person'>;

/** Who is away has no part in how the work lies. */
function countedOf(loads: readonly MemberLoad[], team: string): number[] {
  return loads.filter(({ teamId, available }) => teamId === team && available).map(({ load }) => load);
}

function shared({ mean, sigma, drift }: Spread): Pick<WorkloadView, 'mean' | 'sigma' | 'drift'> {
  return { mean, sigma, drift };
}

function shown({ available, load, open, today, sessions, capacityPerDay }: Omit<MemberLoad, 'operatorId'>) {
  return { available, load, open, today, sessions, capacityPerDay };
}

function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('What was just listed is known');
  return value;
}
