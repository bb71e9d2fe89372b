import { Injectable } from '@nestjs/common';
import { InvalidRequest, PermissionMissing, type Caller, type Problem } from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { ModeMismatch, TeamForbidden } from '../production.problems.js';
import type { Assignee, NodeToAssign } from './assignment-policy.contract.js';
import { leads, targetTeams, type KnownTarget } from './claim.queries.js';

const MANAGE = 'production.assignment:manage';

/** A team, or a person; exactly one of them is said. */
export interface GivenTarget {
  readonly teamId?: string | undefined;
  readonly operatorId?: string | undefined;
}

/** Whom work is to be given to by hand. */
export interface Target {
  readonly given: GivenTarget;
  /** The team itself, or those of the person. */
  readonly teams: readonly KnownTarget[];
}

/** Who may be given work, and by whom. */
@Injectable()
export class Targets {
  /** The target, which must be active. */
  async find(tx: EntityManager, given: GivenTarget): Promise<Target> {
    const teams = await targetTeams(tx, [given.teamId ?? null, given.operatorId ?? null]);
    if (teams.length > 0) return { given, teams };
    const pointer = given.teamId === undefined ? '#/operatorId' : '#/teamId';
    const detail = given.teamId === undefined ? 'is no active member of an active team' : 'is no active team';
    throw new InvalidRequest([{ pointer, detail }]);
  }

  /** Throws unless the caller manages assignments at the site, or leads the team, or a team of the person. */
  async admit(tx: EntityManager, by: Caller, siteId: string, given: GivenTarget): Promise<void> {
    if (by.may(MANAGE, siteId)) return;
    const [row] = await leads(tx, [by.accountId, given.teamId ?? null, given.operatorId ?? null]);
    if (row?.leads !== true) throw new PermissionMissing(MANAGE);
  }
}

/** As whom the target would work at the node, or why not. A person works as one of the first of their teams that fits. */
export function assigneeAt({ given, teams }: Target, node: NodeToAssign): Assignee | Problem {
  const allowed = teams.filter(({ teamId }) => !isForbidden(node, teamId));
  const [first] = teams;
  if (allowed.length === 0) return new TeamForbidden(first?.teamId ?? '', node.code);
  const fitting = allowed.find(({ productionMode }) => fits(productionMode, node.productionMode));
  if (!fitting) return new ModeMismatch(allowed[0]?.teamId ?? '', node.code);
  const { teamId } = fitting;
  if (given.operatorId === undefined) return { type: 'team', teamId, operatorId: null };
  return { type: 'operator', teamId, operatorId: given.operatorId };
}

function isForbidden({ allowedTeamIds, forbiddenTeamIds }: NodeToAssign, teamId: string): boolean {
  return forbiddenTeamIds.includes(teamId) || (allowedTeamIds.length > 0 && !allowedTeamIds.includes(teamId));
}

function fits(team: KnownTarget['productionMode'], node: NodeToAssign['productionMode']): boolean {
  return team === node || team === 'hybrid' || node === 'hybrid';
}
