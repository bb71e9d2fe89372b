import { Body, Controller, Delete, Get, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { By, Endpoint, IfMatch, listOf, Requires, type Caller, type List } from '@belay/platform';
import { id } from '../directory.contract.js';
import { MemberService } from './member.service.js';
import {
  changeTeam,
  draftTeam,
  memberFilter,
  memberView,
  placeMember,
  teamFilter,
  teamView,
  type ChangeTeam,
  type DraftTeam,
  type MemberFilter,
  type MemberView,
  type PlaceMember,
  type TeamFilter,
  type TeamView,
} from './team.contract.js';
import { TeamService } from './team.service.js';

@ApiTags('directory')
@Controller('directory/teams')
export class TeamController {
  constructor(
    private readonly teams: TeamService,
    private readonly members: MemberService,
  ) {}

  @Get()
  @Requires('directory.team:read')
  @Endpoint('Find teams', { returns: listOf(teamView), description: 'Those of your sites, by name.' })
  list(@By() by: Caller, @Query({ schema: teamFilter }) query: TeamFilter): Promise<List<TeamView>> {
    return this.teams.list(by, query);
  }

  @Post()
  @Requires('directory.team:write')
  @Endpoint('Form a team', { status: 201, returns: teamView, problems: ['409 code-taken'] })
  draft(@By() by: Caller, @Body({ schema: draftTeam }) body: DraftTeam): Promise<TeamView> {
    return this.teams.draft(by, body);
  }

  @Get(':id')
  @Requires('directory.team:read')
  @Endpoint('Read a team', { returns: teamView, problems: ['404 team-not-found'] })
  get(@By() by: Caller, @Param('id', { schema: id }) team: string): Promise<TeamView> {
    return this.teams.get(by, team);
  }

  @Patch(':id')
  @Requires('directory.team:write')
  @Endpoint('Change a team', {
    returns: teamView,
    problems: ['404 team-not-found', '409 code-taken', '412 precondition-failed'],
  })
  change(
    @By() by: Caller,
    @Param('id', { schema: id }) team: string,
    @IfMatch() version: number,
    @Body({ schema: changeTeam }) body: ChangeTeam,
  ): Promise<TeamView> {
    return this.teams.change(by, team, version, body);
  }

  @Get(':id/members')
  @Requires('directory.team:read')
  @Endpoint('Who is in a team', {
    returns: listOf(memberView),
    problems: ['404 team-not-found'],
    description: 'By priority.',
  })
  listMembers(
    @By() by: Caller,
    @Param('id', { schema: id }) team: string,
    @Query({ schema: memberFilter }) query: MemberFilter,
  ): Promise<List<MemberView>> {
    return this.members.list(by, team, query);
  }

  @Put(':id/members/:account')
  @Requires('directory.team:write')
  @Endpoint('Put a person into a team, or change their part in it', {
    returns: memberView,
    problems: ['404 team-not-found', '404 account-not-found', '409 account-left'],
  })
  place(
    @By() by: Caller,
    @Param('id', { schema: id }) team: string,
    @Param('account', { schema: id }) account: string,
    @Body({ schema: placeMember }) body: PlaceMember,
  ): Promise<MemberView> {
    return this.members.place(by, team, account, body);
  }

  @Delete(':id/members/:account')
  @Requires('directory.team:write')
  @Endpoint('Take a person out of a team', { problems: ['404 team-not-found', '404 member-not-found'] })
  remove(
    @By() by: Caller,
    @Param('id', { schema: id }) team: string,
    @Param('account', { schema: id }) account: string,
  ): Promise<void> {
    return this.members.remove(by, team, account);
  }
}
