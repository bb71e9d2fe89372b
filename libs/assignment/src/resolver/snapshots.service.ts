import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config, type Executor } from '@belay/platform';
import { ProductionReader } from '@belay/production';
import { Cycles } from './cycles.service.js';
import { snapshotAt, type SnapshotRow } from './snapshot.queries.js';
import type { KnownNode, KnownOperator, Snapshot } from './snapshot.rules.js';

export interface SnapshotQuestion {
  readonly node: KnownNode;
  readonly tokens: readonly { readonly id: string; readonly jobTicketId: string; readonly siteId: string }[];
  readonly at: Date;
  readonly enforced: boolean;
  /** Where people are looked for besides the sites of the tokens. */
  readonly siteId?: string;
  /** Who is looked at besides those who could be chosen as things are. */
  readonly named?: readonly { readonly type: 'operator' | 'team'; readonly id: string }[];
}

/** Reads what a decision rests on: mostly in two statements, however many tokens there are. */
@Injectable()
export class Snapshots {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly cycles: Cycles,
    private readonly production: ProductionReader,
  ) {}

  async load(on: Executor, { node, tokens, at, enforced, siteId, named = [] }: SnapshotQuestion): Promise<Snapshot> {
    const jobs = [...new Set(tokens.map(({ jobTicketId }) => jobTicketId))];
    const sites = new Set([...tokens.map((token) => token.siteId), ...(siteId === undefined ? [] : [siteId])]);
    const generalFallback = this.config.ASSIGNMENT_AUTO_GENERAL_FALLBACK;
    const [row] = await snapshotAt(on, [
      node.graphId,
      node.code,
      node.teamCategory,
      node.preferredTeamId,
      tokens.map(({ id }) => id),
      jobs,
      [...sites],
      at,
      node.requiredSkills.map(({ skillCode }) => skillCode),
      generalFallback,
      nodeKey(node),
      named.flatMap(({ type, id }) => (type === 'team' ? [id] : [])),
      named.flatMap(({ type, id }) => (type === 'operator' ? [id] : [])),
    ]);
    if (!row) throw new Error('The snapshot is one row');
    return {
      at: at.getTime(),
      node,
      operable: true,
      enforced,
      generalFallback,
      ...(await this.loaded(on, row, node, at, jobs)),
    };
  }

  private async loaded(
    on: Executor,
    { rules, teams, members, operators }: SnapshotRow,
    node: KnownNode,
    at: Date,
    jobs: readonly string[],
  ): Promise<Pick<Snapshot, 'rules' | 'teams' | 'members' | 'operators' | 'oemJobs'>> {
    const details = teams.some(({ loadMode }) => loadMode === 'minutes' || loadMode === 'combined');
    const days = new Map(members.map(({ operatorId, since }) => [`${operatorId} ${since}`, { operatorId, since }]));
    const rows = await this.production.work(on, { operators: [...days.values()], at, details });
    const work = new Map([...days.keys()].map((key, index) => [key, rows[index]]));
    const byOperator = new Map(rows.map((one) => [one.operatorId, one]));
    const cycles = await this.cycles.of(on, node, at);
    const pulling = teams.filter(({ pull }) => pull || node.assignmentPolicy === 'TEAM_PULL').map(({ id }) => id);
    const unclaimed = pulling.length > 0 ? await this.production.unclaimed(on, pulling) : new Map<string, number>();
    return {
      rules,
      teams: teams.map((team) => ({ ...team, unclaimed: unclaimed.get(team.id) ?? 0 })),
      members: members.map(({ since, ...member }) => ({
        ...member,
        today: work.get(`${member.operatorId} ${since}`)?.today ?? 0,
      })),
      operators: operators.map((operator): KnownOperator => {
        const known = byOperator.get(operator.id);
        const { open = 0, sessions = 0, lastDay = 0, minutes = 0, pieces = 0, serials = 0 } = known ?? {};
        return {
          ...operator,
          work: { open, sessions, lastDay, minutes, pieces, serials },
          cycleMinutes: cycles.get(operator.id) ?? null,
          lastAssignedAt: known?.lastAssignedAt?.getTime() ?? null,
        };
      }),
      oemJobs: details ? await this.production.jobsOfOem(on, jobs) : new Set(),
    };
  }
}

/** What people are balanced over, and rounds go over: the work centre, else the node in all versions of its graph. */
export function nodeKey({ workCenterId, graphId, code }: KnownNode): string {
  return workCenterId === null ? `node/${graphId}/${code}` : `work-center/${workCenterId}`;
}
