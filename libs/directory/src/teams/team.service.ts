import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  containing,
  Database,
  decodeCursor,
  InvalidRequest,
  listFrom,
  Outbox,
  PermissionMissing,
  PreconditionFailed,
  violates,
  type Caller,
  type List,
} from '@belay/platform';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import type { TeamChanged } from '../directory.events.js';
import { sitesValue } from '../people/person.queries.js';
import { CodeTaken } from '../sites/site.problems.js';
import type { ChangeTeam, DraftTeam, TeamFilter, TeamView } from './team.contract.js';
import { Team } from './team.entity.js';
import { TeamNotFound } from './team.problems.js';
import { teamList } from './team.queries.js';

const READ = 'directory.team:read';
const WRITE = 'directory.team:write';
const listKey = z.tuple([z.string(), z.uuid()]);

@Injectable()
export class TeamService {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  async list(by: Caller, { search, siteId, teamCategory, active, cursor, limit }: TeamFilter): Promise<List<TeamView>> {
    const after = decodeCursor(cursor, listKey) ?? [null, null];
    const rows = await teamList(this.database.dataSource, [
      sitesValue(by, READ),
      containing(search),
      siteId ?? null,
      teamCategory ?? null,
      active ?? null,
      ...after,
      limit + 1,
    ]);
    return listFrom(rows, limit, (row) => [row.sortName, row.id], view);
  }

  async get(by: Caller, id: string): Promise<TeamView> {
    return view(await this.seen(by, id));
  }

  async seen(by: Caller, id: string): Promise<Team> {
    const team = await this.database.manager.findOneBy(Team, { id });
    if (!team || !by.may(READ, team.siteId)) throw new TeamNotFound(id);
    return team;
  }

  async draft(by: Caller, draft: DraftTeam): Promise<TeamView> {
    if (!by.may(WRITE, draft.siteId)) throw new PermissionMissing(WRITE);
    return this.saved(by, draft.code, (tx) => tx.save(tx.create(Team, { id: randomUUIDv7(), ...draft })));
  }

  /** A team may move to another site, if the caller may write at both. */
  async change(by: Caller, id: string, version: number, details: ChangeTeam): Promise<TeamView> {
    return this.saved(by, details.code ?? '', async (tx) => {
      const team = await this.locked(tx, by, id);
      if (team.rowVersion !== version) throw new PreconditionFailed(team.rowVersion);
      if (!by.may(WRITE, details.siteId ?? team.siteId)) throw new PermissionMissing(WRITE);
      return tx.save(Object.assign(team, details));
    });
  }

  /** The team, locked, if the caller may write at its site. */
  async locked(tx: EntityManager, by: Caller, id: string): Promise<Team> {
    const team = await tx.findOne(Team, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!team) throw new TeamNotFound(id);
    if (!by.may(WRITE, team.siteId)) throw new PermissionMissing(WRITE);
    return team;
  }

  async announce(tx: EntityManager, { id, siteId, active }: Team, accountIds: string[] = []): Promise<void> {
    const changed: TeamChanged = { name: 'directory.team-changed', body: { teamId: id, siteId, active, accountIds } };
    await this.outbox.add(tx, changed, 'directory');
  }

  private async saved(by: Caller, code: string, work: (tx: EntityManager) => Promise<Team>): Promise<TeamView> {
    try {
      return await this.database.transaction(by, async (tx) => {
        const team = await work(tx);
        await this.announce(tx, team);
        return view(team);
      });
    } catch (error) {
      if (violates(error, 'team_code_is_unique')) throw new CodeTaken('team', code);
      if (violates(error, 'team_is_at_a_site'))
        throw new InvalidRequest([{ pointer: '#/siteId', detail: 'is no site' }]);
      throw error;
    }
  }
}

function view(team: Team): TeamView {
  return {
    id: team.id,
    code: team.code,
    name: team.name,
    siteId: team.siteId,
    teamCategory: team.teamCategory,
    productionMode: team.productionMode,
    loadMode: team.loadMode,
    dispatchMode: team.dispatchMode,
    active: team.active,
    createdAt: team.createdAt.toISOString(),
    rowVersion: team.rowVersion,
  };
}
