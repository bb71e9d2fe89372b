import { Injectable } from '@nestjs/common';
import { InvalidRequest, PermissionMissing, type Caller, type Executor } from '@belay/platform';
import { ProductionReader, type PlannedNode } from '@belay/production';
import type { PlannedAssignee } from '../assignment.contract.js';
import { ModeMismatch, NodeNotOperable, TeamForbidden } from '../assignment.problems.js';
import { unfit } from '../resolver/people.rules.js';
import { plannedTeam, teamsOfOperator, type PlannedTeam } from './place.queries.js';

export const READ_PLANS = 'assignment.plan:read';
export const WRITE_PLANS = 'assignment.plan:write';

/** Where something is planned, as far as it is known. */
export interface PlanPlace {
  readonly tokenId?: string | undefined;
  readonly jobTicketId?: string | undefined;
  readonly graphId?: string | undefined;
  readonly nodeCode?: string | undefined;
}

/** What is planned, and for whom, must exist and be in the planner's hands. */
@Injectable()
export class PlanPlaces {
  constructor(private readonly production: ProductionReader) {}

  /**
   * The node that is meant, null where it is about every node of a job or a token. Throws unless the caller may plan
   * there, people work at the node, and whoever is to do it is an active team or operator.
   */
  async check(
    on: Executor,
    by: Caller,
    place: PlanPlace,
    { type, id }: PlannedAssignee,
  ): Promise<{ node: PlannedNode | null; teams: readonly PlannedTeam[] }> {
    const { jobTicketId, site } = await this.place(on, place);
    const teams = type === 'team' ? await plannedTeam(on, [id]) : await teamsOfOperator(on, [id]);
    if (teams.length === 0) {
      throw new InvalidRequest([{ pointer: '#/assignee/id', detail: `is no active ${type}` }]);
    }
    // A plan for every job of a graph is of no site; it is made where the people are.
    const sites = site === null ? teams.map(({ siteId }) => siteId) : [site];
    if (!sites.some((one) => by.may(WRITE_PLANS, one))) throw new PermissionMissing(WRITE_PLANS);
    return { node: await this.node(on, { ...place, jobTicketId }), teams };
  }

  /** The job of a token, and the site; null for a graph, which is of none. Throws unless the thing exists. */
  async place(on: Executor, place: PlanPlace): Promise<{ jobTicketId: string | undefined; site: string | null }> {
    if (place.tokenId !== undefined) {
      const token = await this.production.token(on, place.tokenId);
      if (!token) throw new InvalidRequest([{ pointer: '#/tokenId', detail: 'is no token' }]);
      return { jobTicketId: token.jobTicketId, site: token.siteId };
    }
    if (place.jobTicketId === undefined) return { jobTicketId: undefined, site: null };
    const job = await this.production.job(on, place.jobTicketId);
    if (!job) throw new InvalidRequest([{ pointer: '#/jobTicketId', detail: 'is no job ticket' }]);
    return { jobTicketId: place.jobTicketId, site: job.siteId };
  }

  private async node(on: Executor, { jobTicketId, graphId, nodeCode }: PlanPlace): Promise<PlannedNode | null> {
    if (nodeCode === undefined) return null;
    const node = await this.production.node(on, { graphId, jobTicketId, code: nodeCode });
    if (node?.operable !== true) throw new NodeNotOperable(nodeCode, node?.type ?? null);
    return node;
  }
}

/** A pin is obeyed whatever the node says, so one that the node forbids is not set. A person may do it in any of their teams. */
export function refuseForbidden(node: PlannedNode, teams: readonly PlannedTeam[]): void {
  const refusals = teams.map((team) => refusalOf(node, team));
  const [first] = refusals;
  if (first && refusals.every((refusal) => refusal !== null)) throw first;
}

function refusalOf(node: PlannedNode, team: PlannedTeam): Error | null {
  switch (unfit(node, { ...team, active: true })) {
    case 'team_forbidden':
    case 'team_not_allowed':
      return new TeamForbidden(team.id, node.code);
    case 'mode_mismatch': {
      const facts = { nodeCode: node.code, teamMode: team.productionMode, nodeMode: node.productionMode };
      return new ModeMismatch(team.id, facts);
    }
    default:
      return null;
  }
}
