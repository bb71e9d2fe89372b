import { Injectable } from '@nestjs/common';
import { Database, type Caller, type Grant } from '@belay/platform';
import { heldByIds } from './accounts/account.queries.js';
import { grantsOf } from './directory.permissions.js';
import { accountsById, holdersOf, staffOf, type AccountRow } from './directory.queries.js';
import type { ShownPerson } from './people/person.rules.js';
import { PersonService } from './people/person.service.js';
import type { ShiftTimes } from './sites/shift.rules.js';
import type { WorkingHours } from './sites/site.contract.js';
import {
  localMoments,
  shiftPeriods,
  shiftsOf,
  sitesById,
  type LocalMoment,
  type ShiftPeriod,
} from './sites/site.queries.js';
import { skillsOn, type SkillRow } from './skills/skill.queries.js';
import { membersOf, membershipsOf, teamsAtSites, teamsById, type MemberRow } from './teams/team.queries.js';
import type { Team } from './teams/team.entity.js';

/** Whether an account exists, may act and holds which roles: no names. */
export type KnownAccount = AccountRow;

export interface KnownSite {
  readonly id: string;
  readonly code: string;
  readonly name: string;
  readonly kind: 'plant' | 'warehouse' | 'property' | 'office';
  readonly timeZone: string;
  readonly workingHours: WorkingHours;
  /** Days, YYYY-MM-DD. */
  readonly holidays: readonly string[];
  readonly active: boolean;
}

export type KnownTeam = Omit<Team, 'createdAt' | 'rowVersion'>;

/** Somebody in a team now. `operator`: the account, the membership and the team are active. */
export type Member = Omit<MemberRow, 'id'> & { readonly operator: boolean };
export type Membership = Member & { readonly siteId: string };

/**
 * What other domains may ask. Ids in, map out, one query each; ids that do not exist are absent from the map. Nothing is
 * kept between calls, so an answer is as fresh as its query.
 */
@Injectable()
export class DirectoryReader {
  constructor(
    private readonly database: Database,
    private readonly shown: PersonService,
  ) {}

  private get on() {
    return this.database.dataSource;
  }

  /** People masked for the viewer. Whatever shows a person, in an answer, a file or a stream, takes them from here. */
  people(viewer: Caller, accountIds: readonly string[]): Promise<Map<string, ShownPerson>> {
    return this.shown.see(viewer, accountIds);
  }

  async accounts(accountIds: readonly string[]): Promise<Map<string, KnownAccount>> {
    return byKey(await accountsById(this.on, [accountIds]), (row) => row.id);
  }

  /** Active people with each role, at whatever site. */
  async holders(roles: readonly string[]): Promise<Map<string, string[]>> {
    const rows = await holdersOf(this.on, [roles]);
    return new Map(rows.map((row) => [row.role, row.accountIds]));
  }

  /** Active people who work at each site. */
  async staff(siteIds: readonly string[]): Promise<Map<string, string[]>> {
    const rows = await staffOf(this.on, [siteIds]);
    return new Map(rows.map((row) => [row.siteId, row.accountIds]));
  }

  async teams(teamIds: readonly string[]): Promise<Map<string, KnownTeam>> {
    return byKey(await teamsById(this.on, [teamIds]), (row) => row.id);
  }

  async teamsAt(siteIds: readonly string[]): Promise<Map<string, KnownTeam[]>> {
    return grouped(await teamsAtSites(this.on, [siteIds]), (row) => row.siteId);
  }

  /** In the order of their priority. */
  async members(teamIds: readonly string[]): Promise<Map<string, Member[]>> {
    return grouped(await membersOf(this.on, [teamIds]), (row) => row.teamId);
  }

  async memberships(accountIds: readonly string[]): Promise<Map<string, Membership[]>> {
    return grouped(await membershipsOf(this.on, [accountIds]), (row) => row.accountId);
  }

  /** Skills that count on the day (YYYY-MM-DD) and reach the level. */
  async skills(accountIds: readonly string[], day: string, level = 1): Promise<Map<string, SkillRow[]>> {
    return grouped(await skillsOn(this.on, [accountIds, day, level]), (row) => row.accountId);
  }

  async sites(siteIds: readonly string[]): Promise<Map<string, KnownSite>> {
    return byKey(await sitesById(this.on, [siteIds]), (row) => row.id);
  }

  /** The sites that each account's roles let it see. */
  async sitesSeen(accountIds: readonly string[]): Promise<Map<string, 'all' | string[]>> {
    const rows = await heldByIds(this.on, [accountIds]);
    return new Map(rows.map(({ id, roles, permissions }) => [id, sitesOf(grantsOf(roles, permissions))]));
  }

  /** In the order of their start; times are the site's wall clock. */
  async shifts(siteIds: readonly string[]): Promise<Map<string, (ShiftTimes & { readonly siteId: string })[]>> {
    return grouped(await shiftsOf(this.on, [siteIds]), (row) => row.siteId);
  }

  /** What the calendar and the clock say at each site at that instant, and which shift is on; sites nobody knows are left out. */
  localMoments(asked: readonly { readonly siteId: string; readonly at: Date }[]): Promise<LocalMoment[]> {
    return localMoments(this.on, [asked.map(({ siteId }) => siteId), asked.map(({ at }) => at)]);
  }

  /** When the shifts that belong to the days from `first` to `last` (YYYY-MM-DD) begin and end. */
  async shiftPeriods(siteIds: readonly string[], first: string, last: string): Promise<Map<string, ShiftPeriod[]>> {
    return grouped(await shiftPeriods(this.on, [siteIds, first, last]), (row) => row.siteId);
  }
}

function sitesOf(grants: readonly Grant[]): 'all' | string[] {
  const sites = grants.filter(({ permission }) => permission === 'directory.site:read').map(({ siteId }) => siteId);
  return sites.includes(null) ? 'all' : sites.filter((site) => site !== null);
}

function byKey<Row>(rows: readonly Row[], key: (row: Row) => string): Map<string, Row> {
  return new Map(rows.map((row) => [key(row), row]));
}

function grouped<Row>(rows: readonly Row[], key: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return groups;
}
