import { Injectable } from '@nestjs/common';
import { PermissionMissing, type Caller, type Executor } from '@belay/platform';
import { OperatorNotFound, TeamNotFound } from './assignment.problems.js';
import { ledTeams, sitesOfOperator, sitesOfTeam } from './people-scope.queries.js';

/** Whose affairs somebody may see or settle: of people and teams at the sites where they hold the permission. */
@Injectable()
export class PeopleScope {
  /** The parameter of `($1::uuid[] IS NULL OR site_id = ANY ($1))`. */
  sites(by: Caller, permission: string): readonly string[] | null {
    const held = by.sitesFor(permission);
    return held === 'all' ? null : held;
  }

  /** `operator-not-found` for who is in no team. */
  async operator(on: Executor, by: Caller, permission: string, operatorId: string): Promise<void> {
    const sites = (await sitesOfOperator(on, [operatorId])).map(({ siteId }) => siteId);
    if (sites.length === 0) throw new OperatorNotFound(operatorId);
    if (!sites.some((siteId) => by.may(permission, siteId))) throw new PermissionMissing(permission);
  }

  async team(on: Executor, by: Caller, permission: string, teamId: string): Promise<void> {
    const [team] = await sitesOfTeam(on, [teamId]);
    if (!team) throw new TeamNotFound(teamId);
    if (!by.may(permission, team.siteId)) throw new PermissionMissing(permission);
  }

  /** Teams that the caller leads, and so may look at without a permission. */
  async led(on: Executor, by: Caller): Promise<readonly string[]> {
    return (await ledTeams(on, [by.accountId])).map(({ teamId }) => teamId);
  }
}
